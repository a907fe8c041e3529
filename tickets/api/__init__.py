"""The REST API of tickets, with the same policies, services and payloads as the pages."""
