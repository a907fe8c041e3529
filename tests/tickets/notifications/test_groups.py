"""Notifications of a ticket as one entry, on pages and in the API."""

from typing import Any

import pytest
from django.test import Client

from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import services
from tickets.models import Notification
from tickets.notifications import records

pytestmark = pytest.mark.django_db


@pytest.fixture
def bao(cast: Cast) -> Client:
    """Return the browser of Bao, who is notified of nothing yet."""
    Notification.objects.all().delete()
    client = Client()
    client.force_login(cast.bao)
    return client


def latest(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/notifications/latest/").json()["notifications"]
    return found


def brief(client: Client) -> list[tuple[Any, ...]]:
    return [(each["count"], each["summary"], each["more"], each["kind"], each["is_read"]) for each in latest(client)]


def read(client: Client, item: dict[str, Any]) -> None:
    client.post("/notifications/read/", {"id": item["id"], "earlier": ""})


def test_ten_replies_are_one_entry_that_leads_to_the_latest(cast, bao):
    replies = [cast.reply(cast.casey, f"Line {number}") for number in range(10)]
    [item] = latest(bao)
    assert brief(bao) == [(10, "replies", 0, "customer_reply", False)]
    assert item["reply"]["id"] == str(replies[-1].pk)
    assert "10</span> new replies in “<bdi" in " ".join(bao.get("/notifications/").text.split())
    assert records.unread_number(cast.bao) == 10


def test_entry_with_several_kinds_says_the_kind_of_the_latest_and_how_many_more(cast, bao):
    cast.reply(cast.casey, "One")
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.billing})
    cast.reply(cast.casey, "Two")
    assert brief(bao) == [(3, "replies", 1, "customer_reply", False)]
    assert '+<span data-text="more">1</span> more' in bao.get("/notifications/").text


def test_mention_stays_on_top_of_later_messages(cast, bao):
    services.add_reply(cast.ticket, by=cast.dana, message="@Bao Nguyen?", internal=True, mentions=[cast.bao.pk])
    last = cast.reply(cast.casey, "Two")
    [item] = latest(bao)
    assert (item["kind"], item["count"], item["more"]) == ("mention", 2, 1)
    assert item["id"] == str(Notification.objects.get(user=cast.bao, reply=last).pk)


def test_marking_an_entry_read_marks_its_ticket_and_nothing_later(cast, bao):
    other = services.open_ticket(by=cast.greta, subject="Chair", content="Broken", office=cast.billing)
    for message in ("One", "Two"):
        cast.reply(cast.casey, message)
    [item, _] = latest(bao)
    cast.reply(cast.casey, "Three")
    read(bao, item)
    unread = Notification.objects.filter(user=cast.bao, read_at=None)
    assert [each.reply and each.reply.message for each in unread.order_by("created_at")] == [None, "Three"]
    assert brief(bao)[:1] == [(1, None, 0, "customer_reply", False)]
    assert (2, "replies", 0, "customer_reply", True) in brief(bao)
    assert other.subject in str(latest(bao))
    read(bao, latest(bao)[0])
    assert records.unread_number(cast.bao) == 1
    assert brief(bao)[0] == (3, "replies", 0, "customer_reply", True)
    assert "3</span> replies in “<bdi" in bao.get("/notifications/").text


def test_id_of_another_person_marks_nothing(cast, bao):
    cast.reply(cast.casey, "One")
    [of_dana] = records.listed(cast.dana)
    bao.post("/notifications/read/", {"id": str(of_dana.pk), "earlier": ""})
    assert (records.unread_number(cast.bao), records.unread_number(cast.dana)) == (1, 1)


def test_entry_counts_only_what_its_person_may_see(cast, bao):
    client = Client()
    client.force_login(cast.casey)
    first = cast.reply(cast.bao, "One")
    cast.reply(cast.bao, "Two")
    assert brief(client) == [(2, "replies", 0, "reply", False)]
    services.change_visibility(first, by=cast.bao, internal=True)
    assert brief(client) == [(1, None, 0, "reply", False)]


def test_entries_need_the_same_queries_however_many_there_are(cast, bao, django_assert_num_queries):
    cast.reply(cast.casey, "One")
    latest(bao)
    with django_assert_num_queries(6):
        latest(bao)
    for number in range(3):
        services.open_ticket(by=cast.greta, subject=f"Chair {number}", content="Broken", office=cast.billing)
        cast.reply(cast.casey, "More")
    with django_assert_num_queries(6):
        assert len(latest(bao)) == 4


def test_api_groups_on_request_and_marks_a_group_read(cast, bao):
    program = ApiClient(cast.bao)
    for message in ("One", "Two", "Three"):
        cast.reply(cast.casey, message)
    single = program.get("notifications/").json()
    assert (single["unread"], [row["count"] for row in single["results"]]) == (3, [1, 1, 1])
    grouped = program.get("notifications/?group=ticket").json()
    [row] = grouped["results"]
    assert (grouped["unread"], row["count"], row["id"]) == (3, 3, single["results"][0]["id"])
    assert row.keys() == single["results"][0].keys()
    assert program.post("notifications/read/", {"ids": [row["id"]], "earlier": True}).status_code == 204
    assert records.unread_number(cast.bao) == 0
    refused = program.get("notifications/?group=office")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "group")
