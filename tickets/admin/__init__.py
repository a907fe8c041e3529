"""Django's admin pages of tickets."""

from tickets.admin import choices, organizations, people, records, tickets

__all__ = ["choices", "organizations", "people", "records", "tickets"]
