"""The product's settings with a short lease: a test waits for a killed process to be taken for dead."""

from tikm import settings
from tikm.settings import *  # noqa: F403

REALTIME = settings.REALTIME | {"LEASE": 4}
