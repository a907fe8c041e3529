"""The site's settings, with channels for the benchmark."""

from tikm.settings import *  # noqa: F403
from tikm.settings import REALTIME as SITE

REALTIME = SITE | {"CHANNELS": "benchmarks.fanout.channels"}
