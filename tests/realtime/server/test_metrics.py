"""Metrics count what happens to sockets and events."""

import pytest
from channels.db import database_sync_to_async

from realtime import metrics
from realtime.broadcasting import dispatcher
from realtime.broadcasting.messages import Ephemeral
from realtime.channels import Audience
from realtime.server import hub
from tests.realtime.server.test_fan_out import broadcast, listeners
from tests.support.clients.direct_client import connect_directly
from tests.support.sockets import connect, subscribe, until

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


def refused(reason):
    return value("realtime_refused_subscriptions_total", reason=reason)


async def test_refused_subscription_is_counted_by_its_reason(live_cast):
    before = {reason: refused(reason) for reason in ("rule", "signature", "ended")}
    greta, bao = await connect(live_cast.greta), await subscribe(live_cast.bao, live_cast.ticket.channel)
    await greta.subscribe(live_cast.ticket.channel)
    assert refused("rule") == before["rule"] + 1
    await greta.subscribe(live_cast.ticket.channel, auth="tikm:forged")
    assert refused("signature") == before["signature"] + 1
    assert refused("ended") == before["ended"]
    await database_sync_to_async(live_cast.billing.agents.remove)(live_cast.bao)
    assert await bao.event("pusher:subscription_error")
    assert refused("ended") == before["ended"] + 1


async def test_published_event_is_counted_by_its_name(live_cast):
    before = value("realtime_published_events_total", event="ticket.reply.created")
    await database_sync_to_async(live_cast.reply)(live_cast.bao, "An answer")
    assert value("realtime_published_events_total", event="ticket.reply.created") == before + 1


async def test_batch_that_the_layer_does_not_accept_is_counted(monkeypatch):
    class Down:
        async def group_send(self, *_):
            raise ConnectionError

    before, message = value("realtime_failed_layer_sends_total"), Ephemeral("public.news", "{}")
    monkeypatch.setattr(dispatcher.channel_layer, "default_layer", Down)
    await dispatcher._send_batches([message])
    assert value("realtime_failed_layer_sends_total") == before + 1
