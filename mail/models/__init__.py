"""Models: mailboxes and received messages, sent mails and their delivery."""
