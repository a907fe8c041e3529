"""The product's settings with a long Redis timeout: on a busy machine Redis is slow, but not down."""

from realtime.utils import circuit_breaker

circuit_breaker.TIMEOUT = 10  # seconds; before the modules that use it are imported

from tikm.settings import *  # noqa: E402, F403
