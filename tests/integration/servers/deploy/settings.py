"""Settings of production with a higher rate of replies: one person writes ten a second."""

from tests.integration.servers import uncollected
from tests.integration.servers.uncollected import *  # noqa: F403

ACTION_RATES = uncollected.ACTION_RATES | {"reply": "6000/minute"}
API_RATES = dict.fromkeys(uncollected.API_RATES, "60000/minute")
