"""The product's settings with a server that soon pings a silent socket."""

import os

from tikm import settings
from tikm.settings import *  # noqa: F403

REALTIME = settings.REALTIME | {
    "ACTIVITY_TIMEOUT": 1,
    "LEASE": 4,
    "TAIL_INTERVAL": float(os.environ.get("TEST_TAIL_INTERVAL", "0.2")),
}
