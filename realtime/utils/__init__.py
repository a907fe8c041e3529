"""Helpers that know nothing about channels or events."""
