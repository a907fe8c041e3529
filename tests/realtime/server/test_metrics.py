"""Metrics count what happens to sockets and events."""

import pytest

from realtime import metrics
from realtime.channels import Audience
from realtime.server import hub
from tests.realtime.server.test_fan_out import broadcast, listeners
from tests.support.clients.direct_client import connect_directly
from tests.support.sockets import until

pytestmark = pytest.mark.django_db(transaction=True)


def value(name, **labels):
    return metrics.registry.get_sample_value(name, labels) or 0.0


async def test_event_counts_once_with_the_number_of_its_sockets(live_cast):
    peers = await listeners(live_cast, "casey", 3)
    before = {name: value(name) for name in ("realtime_fan_out_sockets_sum", "realtime_fan_out_seconds_count")}
    delivered = value("realtime_delivered_events_total", way="layer")
    broadcast(live_cast, Audience.PUBLIC, range(1, 2))
    await until(lambda: all(peer.writes for peer in peers))
    assert value("realtime_delivered_events_total", way="layer") == delivered + 1
    assert value("realtime_fan_out_sockets_sum") == before["realtime_fan_out_sockets_sum"] + 3
    assert value("realtime_fan_out_seconds_count") == before["realtime_fan_out_seconds_count"] + 1


async def test_report_sets_the_number_of_sockets_and_subscriptions(live_cast):
    await listeners(live_cast, "casey", 2)
    hub.here().report(1)
    assert (value("realtime_connections"), value("realtime_subscriptions")) == (2, 2)


async def test_client_that_reads_slowly_is_counted_when_it_is_closed(live_cast):
    peer = await connect_directly(live_cast.casey)
    slow, closed = value("realtime_slow_consumers_total"), value("realtime_closed_connections_total", code="4100")
    next(iter(hub.here().sockets)).drop()
    assert value("realtime_slow_consumers_total") == slow + 1
    assert value("realtime_closed_connections_total", code="4100") == closed + 1
    assert peer
