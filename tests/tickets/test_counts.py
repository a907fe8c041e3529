"""Counts beside views: exact for what is open, bounded for what is closed."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.cast import Cast
from tickets import counts, services
from tickets.models import Status


def numbers(user: Any) -> dict[str, int]:
    return counts.counts(user, list(Status.objects.all()))


@pytest.fixture
def closed(cast: Cast) -> Status:
    """Close five tickets of Casey's in Billing beside the open one."""
    status = Status.closing()
    assert status is not None
    for number in range(5):
        ticket = services.open_ticket(by=cast.casey, subject=f"Old {number}", content="x", office=cast.billing)
        services.update_ticket(ticket, by=cast.bao, values={"status": status})
    return status


def test_numbers_of_every_view(cast: Cast, closed: Status) -> None:
    open_status = cast.ticket.status
    of_agent = numbers(cast.bao)
    assert (of_agent["active"], of_agent["closed"], of_agent["all"]) == (1, 5, 6)
    assert (of_agent[f"status-{open_status.pk}"], of_agent[f"status-{closed.pk}"]) == (1, 5)
    assert (of_agent["waiting"], of_agent["unread"], of_agent["mine"], of_agent["unassigned"]) == (1, 1, 0, 1)
    assert of_agent["snoozed"] == 0
    assert of_agent[f"office-{cast.billing.pk}"] == 1
    assert f"office-{cast.orders.pk}" not in of_agent
    of_admin = numbers(cast.ada)
    assert of_admin[f"office-{cast.orders.pk}"] == 0
    of_customer = numbers(cast.casey)
    assert (of_customer["active"], of_customer["closed"], of_customer["waiting"]) == (1, 5, 0)
    assert not any(name.startswith("office") or name == "mine" for name in of_customer)
    assert set(numbers(cast.emil).values()) == set(numbers(cast.greta).values()) == {0}


def test_numbers_stop_at_the_most(cast: Cast, closed: Status, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MAX_COUNT", 4)
    of_agent = numbers(cast.bao)
    assert (of_agent["active"], of_agent["closed"], of_agent["all"]) == (1, 4, 4)
    monkeypatch.setattr("tickets.templatetags.desk.MAX_COUNT", 4)
    client = Client()
    client.force_login(cast.bao)
    page = client.get("/tickets/").text
    assert f'data-count="status-{closed.pk}">3+<' in page
    assert f'data-count="status-{cast.ticket.status_id}">1<' in page


def test_closed_tickets_are_counted_under_a_limit(cast: Cast, closed: Status) -> None:
    with CaptureQueriesContext(connection) as captured:
        numbers(cast.bao)
    of_tickets = [query["sql"] for query in captured if 'FROM "tickets_ticket"' in query["sql"]]
    closed_only = [sql for sql in of_tickets if f'"status_id" = {closed.pk}' in sql]
    assert len(closed_only) == 1
    assert f"LIMIT {counts.MAX_COUNT}" in closed_only[0]
    assert all('"closed_at" IS NULL' in sql for sql in of_tickets if sql not in closed_only)
