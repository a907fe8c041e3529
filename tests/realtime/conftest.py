"""What tests of the server share that need channels of every kind."""

import pytest
from pytest_django import Settings


@pytest.fixture
def _every_kind(settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "CHANNELS": "tests.support.channel_patterns"}


@pytest.fixture
def _no_pings(settings: Settings) -> None:
    """Expect no pong of a client that waits while its test writes for long."""
    settings.REALTIME = {**settings.REALTIME, "ACTIVITY_TIMEOUT": 600}
