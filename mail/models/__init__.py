"""Models: mails owed to people, the Message-IDs of messages, mailboxes and what they received."""

from mail.models.mailboxes import Mailbox
from mail.models.message_ids import MessageId
from mail.models.outgoing import OutgoingMail
from mail.models.preferences import MailPreference
from mail.models.received import ReceivedMessage

__all__ = ["MailPreference", "Mailbox", "MessageId", "OutgoingMail", "ReceivedMessage"]
