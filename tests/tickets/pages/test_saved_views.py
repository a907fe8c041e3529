"""Saved views: who sees and changes them, what they find and count, and that open pages follow."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from realtime.broadcasting import history
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tickets import policies, services
from tickets.configuration import saved_views
from tickets.configuration.replacements import delete_value
from tickets.models import Priority, SavedView
from tickets.tags.services import add_tag, delete_tag

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def save(by: User, name: str, query: str = "", **readers: Any) -> SavedView:
    view = SavedView(name=name, query=query, **(readers or {"owner": by}))
    saved_views.save(view, by=by)
    return view


@pytest.fixture
def views(cast: Cast) -> dict[str, SavedView]:
    """One view of Bao's, one of Billing, one for all staff."""
    return {
        "bao": save(cast.bao, "Bao's", "assignee=me"),
        "billing": save(cast.ada, "Billing's", "office=Billing", office=cast.billing),
        "all": save(cast.ada, "All", "status=closed", owner=None),
    }


@pytest.mark.parametrize(
    ("name", "usable", "editable"),
    [
        ("bao", "bao billing all", "bao"),
        ("dana", "billing all", ""),
        ("emil", "all", ""),
        ("ada", "billing all", "billing all"),
        ("casey", "", ""),
        ("hiro", "", ""),
    ],
)
def test_views_by_user(cast: Cast, views: dict[str, SavedView], name: str, usable: str, editable: str) -> None:
    user = getattr(cast, name)
    found = policies.usable_views(user)
    assert {key for key, view in views.items() if view in found} == {*usable.split()}
    assert {key for key, view in views.items() if policies.can_edit_view(user, view)} == {*editable.split()}


def test_services_refuse_what_the_policy_refuses(cast: Cast, views: dict[str, SavedView]) -> None:
    for user, view in ((cast.dana, views["bao"]), (cast.bao, views["billing"]), (cast.bao, views["all"])):
        for service in (saved_views.save, saved_views.delete):
            with pytest.raises(PermissionDenied):
                service(view, by=user)
        with pytest.raises(PermissionDenied):
            saved_views.order(view, [], by=user)
    taken = SavedView.objects.get(pk=views["billing"].pk)
    taken.owner, taken.office = cast.bao, None
    with pytest.raises(PermissionDenied):
        saved_views.save(taken, by=cast.bao)
    with pytest.raises(PermissionDenied):
        save(cast.casey, "Casey's")
    with pytest.raises(PermissionDenied):
        save(cast.bao, "Billing's", office=cast.billing)


def test_view_keeps_keys_so_that_renames_do_not_change_it(cast: Cast) -> None:
    high = cast.priority("High")
    view = save(cast.bao, "Mine", "priority=high&assignee=me&sort=created&view=3&after=x")
    assert view.query == f"sort=created&priority={high.pk}&assignee=me"
    for query in ("priority=Hihg", "created_from=2026-05-02&created_to=2026-05-01"):
        with pytest.raises(ValidationError):
            save(cast.bao, "Wrong", query)


def test_view_filters_by_what_replaces_a_deleted_value(cast: Cast) -> None:
    high, urgent = cast.priority("High"), Priority.objects.create(name="On fire", order=9)
    refund = add_tag(cast.ticket, "refund", by=cast.bao)
    returns = add_tag(cast.ticket, "returns", by=cast.bao)
    another = f"tag={refund.pk}1"
    view = SavedView.objects.create(
        name="Hot", query=f"priority={urgent.pk}&priority={high.pk}&tag={refund.pk}&{another}"
    )
    other = SavedView.objects.create(name="Other", query=another)
    delete_tag(refund, by=cast.ada, into=returns)
    delete_value(urgent, by=cast.ada, replacement=high)
    view.refresh_from_db()
    assert view.query == f"priority={high.pk}&tag={returns.pk}&{another}"
    other.refresh_from_db()
    assert other.query == another


def test_number_of_views_for_the_same_readers_is_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 2)
    for name in ("A", "B"):
        save(cast.bao, name)
    page = signed_in(cast.bao).post("/settings/views/new/", {"name": "C", "query": ""})
    assert (page.status_code, "at most 2 views" in page.text) == (422, True)
    assert save(cast.dana, "C").order == 1


# The list


def nav(page: Any) -> list[tuple[str, str | None]]:
    """Return the saved views beside a list, with their numbers."""
    part = page.text.partition('<nav class="views"')[2].partition("</nav>")[0]
    links = re.findall(r'data-saved-view="\d+".*?</a>', part, re.DOTALL)
    name, number = (
        re.compile(pattern)
        for pattern in (r'class="view-name"[^>]*>([^<]*)<', r'data-count="view-\d+"[^>]*>([^<]*)<')
    )
    return [(name.search(link)[1], (number.search(link) or [None, None])[1]) for link in links]  # type: ignore[index]


def test_views_stand_beside_the_list_with_numbers_of_what_the_reader_may_see(cast: Cast) -> None:
    for office in (cast.billing, cast.orders):
        done = services.open_ticket(by=cast.casey, subject="Done", content="x", office=office)
        services.update_ticket(done, by=cast.ada, values={"status": cast.status("Closed")})
    add_tag(cast.ticket, "refund", by=cast.bao)
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    for name, query in {
        "Mine": "assignee=me", "Refunds": "tag=refund&status=all", "Closed": "status=closed", "Open": "status=open",
        "Unread": "status=unread", "Words": "q=twice", "Both": "status=open&status=closed", "Due": "status=waiting",
    }.items():  # fmt: skip
        save(cast.ada, name, query, owner=None)
    expected = {
        "bao": ["1", "1", "1", "1", "1", None, "2", "1"],
        "emil": ["0", "0", "1", "0", "0", None, "1", "0"],
        "ada": ["0", "1", "2", "1", "1", None, "3", "1"],
    }
    for name, numbers in expected.items():
        client = signed_in(getattr(cast, name))
        shown = nav(client.get("/tickets/"))
        assert (name, [number for _name, number in shown]) == (name, numbers)
        counts = client.get("/tickets/counts/").json()["counts"]
        counted = [str(number) for key, number in counts.items() if key.startswith("view-")]
        assert sorted(counted) == sorted(number for number in numbers if number)
        for view in SavedView.objects.exclude(name="Words"):
            rows = client.get(f"/tickets/?{view.query}&view={view.pk}").context["rows"]
            assert (name, view.name, counts[f"view-{view.pk}"]) == (name, view.name, len(rows))
    for customer in (cast.casey, cast.greta):
        client = signed_in(customer)
        assert nav(client.get("/tickets/?view=1")) == []
        assert not [key for key in client.get("/tickets/counts/").json()["counts"] if key.startswith("view")]


def test_open_tickets_of_all_views_are_counted_in_one_query(cast: Cast) -> None:
    client, asked = signed_in(cast.bao), []
    for number in (1, 5):
        for each in range(number):
            save(cast.bao, f"{each}", f"assignee=me&priority={cast.priority('High').pk}&status=waiting&tag=")
        client.get("/tickets/counts/")  # settings of the desk are read once
        with CaptureQueriesContext(connection) as captured:
            client.get("/tickets/counts/")
        asked.append(len(captured))
    assert asked[0] == asked[1]
    save(cast.bao, "Closed", "status=closed")
    with CaptureQueriesContext(connection) as captured:
        client.get("/tickets/counts/")
    limited = [query["sql"] for query in captured if "LIMIT 1000" in query["sql"]]
    assert len(captured) == asked[1] + 1
    assert ['NOT ("tickets_ticket"."closed_at" IS NULL)' in sql for sql in limited].count(True) == 1


def test_list_offers_to_save_and_to_update(cast: Cast, views: dict[str, SavedView]) -> None:
    offers = ("Save as view", "Update view", "Discard changes")

    def offered(user: User, query: str) -> list[str]:
        page = signed_in(user).get(f"/tickets/?{query}").text
        return [offer for offer in offers if offer in page]

    mine, shared = views["bao"], views["all"]
    assert offered(cast.bao, "") == []
    assert offered(cast.bao, "priority=high") == ["Save as view"]
    assert offered(cast.bao, f"{mine.query}&view={mine.pk}") == []
    assert offered(cast.bao, f"{mine.query}&priority=high&view={mine.pk}") == list(offers)
    assert offered(cast.bao, f"{shared.query}&priority=high&view={shared.pk}") == ["Save as view", "Discard changes"]
    assert offered(cast.dana, f"{mine.query}&view={mine.pk}") == ["Save as view"]
    assert offered(cast.casey, "status=closed") == []
    page = signed_in(cast.bao).get(f"/tickets/?{mine.query}&priority=high&view={mine.pk}")
    assert f"view={mine.pk}" in page.context["chips"][0]["query"]
    assert re.search(r"<h1[^>]*>\s*<span[^>]*><span[^>]*>Bao&#x27;s</span>", page.text)


# The pages


def test_view_is_saved_from_the_list_changed_and_deleted(cast: Cast) -> None:
    bao = signed_in(cast.bao)
    filters = "priority=high&tag="
    assert "Priority: <bdi>High</bdi>" in bao.get(f"/settings/views/new/?{urlencode({'query': filters})}").text
    saved = bao.post("/settings/views/new/", {"name": "Hot", "query": filters, "audience": "everyone"})
    view = SavedView.objects.get()
    assert (view.owner, view.query) == (cast.bao, f"priority={cast.priority('High').pk}")
    assert saved["Location"] == f"/tickets/?{view.query}&view={view.pk}"
    assert bao.post(f"/settings/views/{view.pk}/", {"name": " ", "query": view.query}).status_code == 422
    bao.post(f"/settings/views/{view.pk}/", {"name": "Hotter", "query": view.query})
    updated = bao.post(f"/settings/views/{view.pk}/filters/", {"query": "priority=low"})
    view.refresh_from_db()
    assert (view.name, view.query) == ("Hotter", f"priority={cast.priority('Low').pk}")
    assert updated["Location"] == f"/tickets/?{view.query}&view={view.pk}"
    assert "Hotter" in bao.get("/settings/views/").text
    assert bao.post(f"/settings/views/{view.pk}/delete/").status_code == 302
    assert not SavedView.objects.exists()


def test_pages_follow_the_policies(cast: Cast, views: dict[str, SavedView]) -> None:
    address = "/settings/views/"
    assert signed_in(cast.casey).get(address).status_code == 403
    page = signed_in(cast.dana).get(address).text
    assert ("Billing&#x27;s" in page, "Bao&#x27;s" in page) == (True, False)
    statuses = {key: signed_in(cast.dana).get(f"{address}{view.pk}/").status_code for key, view in views.items()}
    assert statuses == {"bao": 404, "billing": 403, "all": 403}
    for way in ("filters", "delete"):
        found = [signed_in(cast.dana).post(f"{address}{view.pk}/{way}/").status_code for view in views.values()]
        assert found == [404, 403, 403]
    assert signed_in(cast.dana).post(f"{address}order/", {"order": [views["all"].pk]}).status_code == 403
    assert signed_in(cast.dana).post(f"{address}order/", {"order": ["x"]}).status_code == 404
    offered = signed_in(cast.ada).get(f"{address}{views['billing'].pk}/").context["form"].fields["audience"].choices
    assert [key for key, _label in offered][1:-1] == [
        str(office.pk) for office in (cast.billing, cast.fraud, cast.orders)
    ]


def test_views_are_ordered_by_buttons_and_at_once(cast: Cast) -> None:
    first, second, third = (save(cast.bao, name) for name in "ABC")
    bao, address = signed_in(cast.bao), "/settings/views/order/"

    def names() -> list[str]:
        return [name for name, _number in nav(bao.get("/tickets/"))]

    assert names() == ["A", "B", "C"]
    bao.post(address, {"choice": third.pk, "move": "up"})
    assert names() == ["A", "C", "B"]
    assert (
        bao.post(address, {"order": [second.pk, third.pk, first.pk]}, HTTP_ACCEPT="application/json").status_code
        == 204
    )
    assert names() == ["B", "C", "A"]
    assert re.findall(r"<b[^>]*>(\w)</b>", bao.get("/settings/views/").text) == ["B", "C", "A"]


# The API, and open pages


def test_api_saves_moves_and_deletes_views(cast: Cast) -> None:
    bao, ada = ApiClient(cast.bao), ApiClient(cast.ada)
    made = bao.post("views/", {"name": "Hot", "query": "priority=high&priority=urgent"})
    high, urgent = (cast.priority(name).pk for name in ("High", "Urgent"))
    view = made.json()
    assert made.status_code == 201
    assert (view["query"], view["visible_to"], view["position"]) == (f"priority={high}&priority={urgent}", "me", 1)
    assert view["html_url"].endswith(f"/tickets/?{view['query']}&view={view['id']}")
    cold = bao.post("views/", {"name": "Cold"}).json()
    assert bao.patch(f"views/{cold['id']}/", {"position": 1}).json()["position"] == 1
    assert [row["name"] for row in bao.get("views/").json()] == ["Cold", "Hot"]
    assert bao.post("views/", {"name": "X", "query": "priority=hihg"}).status_code == 422
    for body in ({"visible_to": "office"}, {"visible_to": "me", "office": "Billing"}):
        assert ada.post("views/", {"name": "X", **body}).status_code == 422
    shared = ada.post("views/", {"name": "Ours", "office": "billing"}).json()
    assert (shared["visible_to"], shared["office"]) == ("office", "Billing")
    assert [row["name"] for row in bao.get("views/").json()] == ["Cold", "Hot", "Ours"]
    assert ada.patch(f"views/{shared['id']}/", {"visible_to": "staff"}).json()["office"] is None
    assert [row["name"] for row in ApiClient(cast.emil).get("views/").json()] == ["Ours"]
    assert bao.ask("DELETE", f"/api/v1/views/{view['id']}/").status_code == 204


async def test_changed_views_reach_those_they_are_for(live_cast: Cast) -> None:
    cast = live_cast
    mine = await subscribe(cast.bao, cast.bao.channel)
    billing = await subscribe(cast.dana, cast.billing.channel)
    orders = await subscribe(cast.emil, cast.orders.channel)
    customer = await subscribe(cast.casey, cast.casey.channel)
    own = await do(lambda: save(cast.bao, "Hot", "priority=high"))
    event = await mine.event("view.changed")
    assert event["view"] == {"id": own.pk}
    assert (event["current"]["name"], event["current"]["visible_to"]) == ("Hot", "me")
    shared = await do(lambda: save(cast.ada, "Ours", office=cast.billing))
    assert (await billing.event("view.changed"))["current"]["name"] == "Ours"
    billing.received.clear()
    shared.office, shared.name = cast.orders, "Theirs"
    await do(lambda: saved_views.save(shared, by=cast.ada))
    assert (await billing.event("view.changed"))["current"] is None
    assert (await orders.event("view.changed"))["current"]["name"] == "Theirs"
    orders.received.clear()
    await do(lambda: saved_views.delete(shared, by=cast.ada))
    assert (await orders.event("view.changed"))["current"] is None
    await customer.receives_nothing(cast.casey.channel)
    for reader in (customer, billing):
        assert "Theirs" not in str(reader.received)
    assert "Ours" not in str(orders.received)


def test_history_repeats_changes_to_those_they_are_for(cast: Cast) -> None:
    start = history.current_cursor()
    save(cast.bao, "Hot", "priority=high")
    save(cast.ada, "All", owner=None)

    def names(user: User, *channels: str) -> list[str]:
        return [event["data"]["current"]["name"] for event in history.read(user, channels, start).events]

    assert names(cast.bao, cast.bao.channel, cast.billing.channel) == ["Hot", "All"]
    assert names(cast.dana, cast.dana.channel, cast.billing.channel) == ["All"]
    assert names(cast.casey, cast.casey.channel) == []
