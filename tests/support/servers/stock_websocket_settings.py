"""Settings of a server on uvicorn's own WebSocket class instead of ours."""

from tests import settings
from tests.settings import *  # noqa: F403

REALTIME = settings.REALTIME | {
    "WEBSOCKET_CLASS": "uvicorn.protocols.websockets.websockets_sansio_impl.WebSocketsSansIOProtocol"
}
