"""The product's settings with a short lease: a test waits for a killed process to be taken for dead."""

from tikm.settings import *  # noqa: F403

REALTIME["LEASE"] = 4  # noqa: F405
