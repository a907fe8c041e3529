"""Django's admin pages of tickets."""

from tickets.admin import choices, people, records, tickets

__all__ = ["choices", "people", "records", "tickets"]
