"""Splitting a message of a ticket into a ticket of its own."""
