"""What each person has read, which tickets are unread, and who has to write next."""

from tickets.reading.latest import latest_messages
from tickets.reading.marks import has_read, mark_read, mark_unread, read_own, reading_of
from tickets.reading.messages import record_message, recount
from tickets.reading.queries import unread_number, with_unread

__all__ = [
    "has_read",
    "latest_messages",
    "mark_read",
    "mark_unread",
    "read_own",
    "reading_of",
    "record_message",
    "recount",
    "unread_number",
    "with_unread",
]
