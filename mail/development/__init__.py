"""Mail of a development site, without a mail server: /dev/mail/ shows what was sent, and lets one answer it."""
