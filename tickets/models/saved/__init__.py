"""What staff keep for themselves, for an office or for all staff: replies, macros and views."""

from tickets.models.saved.macros import Macro
from tickets.models.saved.replies import SavedReply
from tickets.models.saved.views import MAX_QUERY, SavedView

__all__ = ["MAX_QUERY", "Macro", "SavedReply", "SavedView"]
