"""Settings of the server that pusher-js's own integration specs expect."""

from tests import settings
from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.integration.clients.browser_libraries.specs.urls"
# The specs leave a connection idle for longer than anonymous connections may be.
REALTIME = settings.REALTIME | {
    "CHANNELS": "tests.integration.clients.browser_libraries.specs.patterns",
    "AUTHENTICATION_TIMEOUT": 0,
}
