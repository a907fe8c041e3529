"""Admin pages of mailboxes, received messages and outgoing mails, for admins."""

from mail.admin import mailboxes, outgoing, received

__all__ = ["mailboxes", "outgoing", "received"]
