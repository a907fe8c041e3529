"""Settings of a server whose channels are of every kind: for what the desk itself has no use for."""

from tests import settings
from tests.settings import *  # noqa: F403

REALTIME = settings.REALTIME | {
    "CHANNELS": "tests.support.channel_patterns",
    "ENCRYPTION_MASTER_KEY": b"tests-only-" + b"x" * 21,
    "USER_DATA": "tests.support.channel_patterns.watchlist",
}
