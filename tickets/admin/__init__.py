"""Django's admin pages of tickets."""

from tickets.admin import choices, records, tickets

__all__ = ["choices", "records", "tickets"]
