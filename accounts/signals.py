"""Signals of users.

access_changed      users                         the role or activation of users (their keys) may have changed
"""

from django.dispatch import Signal

access_changed = Signal()
