"""Merging of tickets: one continues in another, and no message is moved."""
