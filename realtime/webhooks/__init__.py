"""Outgoing Pusher webhooks."""
