"""Presence: which users are subscribed to which channels, on all server processes."""
