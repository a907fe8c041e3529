"""Signals that `realtime` sends to the project."""

from django.dispatch import Signal

# Arguments: `user`, and `by`, the admin who disconnects them. Sent in a transaction; its commit closes the user's
# connections. A receiver ends the user's sessions.
user_disconnected = Signal()
