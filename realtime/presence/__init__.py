"""Presence: which users are subscribed to which channels, on all processes."""
