"""WebSocket URLs, for any ASGI server."""

from typing import Any

from django.urls import path, re_path

from realtime.consumers import PusherConsumer, WrongPathConsumer

pusher: Any = PusherConsumer.as_asgi()  # Django's types have only HTTP views
wrong_path: Any = WrongPathConsumer.as_asgi()

websocket_urlpatterns: list[Any] = [
    path("app/<str:key>", pusher),
    re_path("", wrong_path),
]
