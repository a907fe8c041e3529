"""Helpers without knowledge of channels or events."""
