"""The ASGI application: HTTP and WebSocket. The consumer checks the origin, so that clients get a readable error."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tikm.settings")
pages = get_asgi_application()

from realtime.routing import websocket_urlpatterns  # noqa: E402
from realtime.utils.client_address import ProxyHeadersMiddleware  # noqa: E402  (needs loaded apps)

application = ProtocolTypeRouter(
    {"http": pages, "websocket": ProxyHeadersMiddleware(URLRouter(websocket_urlpatterns))}
)
