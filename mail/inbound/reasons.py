"""Why a message is held, ignored or failed: codes that are stored, and their sentences for admins."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

UNKNOWN_SENDER: Final = "unknown_sender"
INACTIVE_SENDER: Final = "inactive_sender"
BLOCKED_SENDER: Final = "blocked_sender"
NO_SENDER: Final = "no_sender"
TOO_MANY: Final = "too_many"
SPAM: Final = "spam"
LOOP: Final = "loop"
AUTOMATIC_REPLY: Final = "automatic_reply"
BOUNCE: Final = "bounce"
REFUSED: Final = "refused"
ERROR: Final = "error"

SENTENCES: Final[dict[str, Promise]] = {
    UNKNOWN_SENDER: _("The sender has no account, and this mailbox holds messages of unknown senders."),
    INACTIVE_SENDER: _("The sender's account is deactivated."),
    BLOCKED_SENDER: _("The sender is blocked in this mailbox."),
    NO_SENDER: _("The message has no sender."),
    TOO_MANY: _("The sender has written too many messages in a short time."),
    SPAM: _("The spam filter of the mail server calls it spam."),
    LOOP: _("The message came from this help desk itself, or has been passed on too often."),
    AUTOMATIC_REPLY: _("An automatic reply, such as a vacation notice."),
    BOUNCE: _("A mail could not be delivered."),
    REFUSED: _("The message could not be added to a ticket."),
    ERROR: _("The message could not be read."),
}
