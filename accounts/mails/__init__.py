"""The look and the sender of mails."""
