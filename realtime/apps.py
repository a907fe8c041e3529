"""The application `realtime`."""

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """Broadcasting: channels, the log, its tail, the hub and the sockets."""

    name = "realtime"
