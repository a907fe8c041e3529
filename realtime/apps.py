"""The Django application."""

from django.apps import AppConfig
from django.core import checks


class RealtimeConfig(AppConfig):
    """A Pusher-protocol broadcasting server."""

    name = "realtime"

    def ready(self) -> None:
        """Register the system checks. Raises ImproperlyConfigured if settings.REALTIME is invalid."""
        from realtime.checks import check_settings
        from realtime.conf import config

        config()
        checks.register(check_settings)
