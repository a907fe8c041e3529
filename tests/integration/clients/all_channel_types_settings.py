"""Settings of a server with channels of every kind, also of those the site does not use."""

from tests import settings
from tests.settings import *  # noqa: F403

REALTIME = settings.REALTIME | {
    "CHANNELS": "tests.support.channel_patterns",
    "ENCRYPTION_MASTER_KEY": b"tests-only-" + b"x" * 21,
    "USER_DATA": "tests.support.channel_patterns.watchlist",
}
