"""Ours: the desk's settings, with channels for the benchmark."""

from tikm.settings import *  # noqa: F403
from tikm.settings import REALTIME as OF_THE_DESK

REALTIME = OF_THE_DESK | {"CHANNELS": "benchmarks.fanout.channels"}
