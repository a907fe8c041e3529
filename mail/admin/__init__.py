"""Admin pages of mailboxes and received messages, for admins."""

from mail.admin import mailboxes, received

__all__ = ["mailboxes", "received"]
