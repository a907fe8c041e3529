"""The application `realtime`."""

from django.apps import AppConfig
from django.core import checks


class RealtimeConfig(AppConfig):
    """Broadcasting: channels, the log, its tail, the hub and the sockets."""

    name = "realtime"

    def ready(self) -> None:
        """Have the settings checked at the start."""
        from realtime.checks import check_webhooks

        checks.register(check_webhooks)
