"""The people of a ticket beside its assignee: participants, and what staff see of its customer."""
