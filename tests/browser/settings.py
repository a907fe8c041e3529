"""The project's settings without limits on actions: tests write faster than people."""

from tikm.settings import *  # noqa: F403
from tikm.settings import ACTION_RATES

ACTION_RATES = dict.fromkeys(ACTION_RATES, "1000000000000/minute")
