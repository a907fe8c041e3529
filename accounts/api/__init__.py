"""The REST API of users, tokens and offices, and the base classes of all API views."""
