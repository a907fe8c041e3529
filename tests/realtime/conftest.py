"""What tests of the server share that need channels of every kind."""

import pytest
from pytest_django import Settings


@pytest.fixture
def _every_kind(settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "CHANNELS": "tests.support.channel_patterns"}
