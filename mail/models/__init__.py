"""Models: mails owed to people, and the Message-IDs of messages."""

from mail.models.message_ids import MessageId
from mail.models.outgoing import OutgoingMail

__all__ = ["MessageId", "OutgoingMail"]
