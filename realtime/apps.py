"""The Django application."""

from django.apps import AppConfig
from django.core import checks


class RealtimeConfig(AppConfig):
    """A Pusher-protocol broadcasting server."""

    name = "realtime"

    def ready(self) -> None:
        """Register the system checks."""
        from realtime.checks import check_settings

        checks.register(check_settings)
