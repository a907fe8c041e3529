"""The REST API of tickets: the same policies, verbs and briefs as the pages, for programs."""
