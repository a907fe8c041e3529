"""Production settings without rate limits; static files are not collected."""

from tests.integration.servers.uncollected import *  # noqa: F403
from tikm.settings import ACTION_RATES, API_RATES

API_RATES = dict.fromkeys(API_RATES, "1000000/second")
ACTION_RATES = ACTION_RATES | {"reply": "1000000/second"}
