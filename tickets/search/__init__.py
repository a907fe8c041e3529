"""Search tickets by their texts, reference and customer; internal notes for staff of the ticket only."""

from tickets.search.queries import search, search_replies
from tickets.search.references import named_ticket
from tickets.search.snippets import Snippet, snippets
from tickets.search.terms import MAX_LENGTH, MAX_WORDS

__all__ = [
    "MAX_LENGTH",
    "MAX_WORDS",
    "Snippet",
    "named_ticket",
    "search",
    "search_replies",
    "snippets",
]
