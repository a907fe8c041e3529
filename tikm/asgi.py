"""Joins HTTP and the WebSocket; who may connect from where is the consumer's to say, in words a client can read."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tikm.settings")
pages = get_asgi_application()

from realtime.routing import websocket_urlpatterns  # noqa: E402
from realtime.utils.client_address import ProxyHeadersMiddleware  # noqa: E402  (applications must be loaded first)

application = ProtocolTypeRouter(
    {"http": pages, "websocket": ProxyHeadersMiddleware(URLRouter(websocket_urlpatterns))}
)
