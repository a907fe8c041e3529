"""Tickets, their replies, notes and attachments."""
