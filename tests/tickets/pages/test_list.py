"""The ticket list: filters, order, pages and counts, by what the user may see."""

import json
import re
from datetime import UTC, datetime
from itertools import chain
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from realtime.utils import encryption
from tests.support.cast import Cast
from tickets import list_pages, services
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_on_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_pages.paginate, "__kwdefaults__", {"after": "", "before": "", "size": 3})


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(user: User, query: str = "") -> list[str]:
    """Return the subjects of a page of the list."""
    return subjects(signed_in(user).get(f"/tickets/{query}"))


def subjects(response) -> list[str]:
    assert response.status_code == 200
    return [row["ticket"]["subject"] for row in response.context["rows"]]


def ask(cast: Cast, subject: str, *, by: User | None = None, **fields) -> Ticket:
    office = fields.pop("office", cast.billing)
    ticket = services.open_ticket(by=by or cast.casey, subject=subject, content="x", office=office)
    if "status" in fields:
        services.update_ticket(ticket, by=cast.ada, values={"status": fields.pop("status")})
    if fields:
        Ticket.objects.filter(pk=ticket.pk).update(**fields)
    ticket.refresh_from_db()
    return ticket


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 5, day, hour, minute, tzinfo=UTC)


# Filters


def test_staff_filter_by_each_property(cast):
    urgent = ask(cast, "Urgent one", priority=cast.priority("Urgent"))
    services.update_ticket(urgent, by=cast.ada, values={"assigned_to": cast.bao})
    ask(cast, "Orders' one", office=cast.orders)
    assert shown(cast.ada, f"?priority={cast.priority('Urgent').pk}") == ["Urgent one"]
    assert shown(cast.ada, f"?office={cast.orders.pk}") == ["Orders' one"]
    assert shown(cast.ada, "?assignee=none") == ["Orders' one", "Charged twice"]
    assert shown(cast.ada, f"?assignee={cast.bao.pk}") == shown(cast.bao, "?assignee=me") == ["Urgent one"]
    assert shown(cast.ada, f"?assignee=none&office={cast.billing.pk}") == ["Charged twice"]


def test_each_view_lists_its_tickets(cast):
    closed = ask(cast, "Done", status=cast.status("Closed"))
    answered = ask(cast, "Answered")
    services.add_reply(answered, by=cast.bao, message="What do you mean?")
    assert shown(cast.casey) == ["Answered", "Charged twice"]
    assert shown(cast.casey, "?status=closed") == shown(cast.casey, f"?status={closed.status_id}") == ["Done"]
    assert shown(cast.casey, "?status=waiting") == ["Answered"]
    assert shown(cast.casey, "?status=all") == ["Answered", "Done", "Charged twice"]


def test_date_filters_include_the_days_of_the_users_time_zone(cast):
    for subject, moment in {"Late": at(3, 22, 30), "Early": at(2, 21, 59), "Next": at(4, 22, 0)}.items():
        ask(cast, subject, created_at=moment)
    cast.ada.time_zone = "Europe/Berlin"
    cast.ada.save()
    with timezone.override("Europe/Berlin"):
        assert shown(cast.ada, "?created_from=2026-05-04&created_to=2026-05-04&sort=created") == ["Late"]
        assert shown(cast.ada, "?created_from=2026-05-02&created_to=2026-05-02") == ["Early"]
        assert "Next" in shown(cast.ada, "?created_from=2026-05-05")


def test_customer_filters_and_sorts_by_public_changes(cast):
    old = ask(cast, "Old", updated_at=at(1), public_updated_at=at(1))
    Ticket.objects.filter(pk=old.pk).update(updated_at=at(20))
    ask(cast, "Newer", updated_at=at(10), public_updated_at=at(10))
    query = "?updated_from=2026-05-01&updated_to=2026-05-31"
    assert shown(cast.casey, query) == ["Newer", "Old"]
    assert shown(cast.bao, query) == ["Old", "Newer"]
    assert shown(cast.casey, "?updated_from=2026-05-15&updated_to=2026-05-31") == []
    assert shown(cast.bao, "?updated_from=2026-05-15&updated_to=2026-05-31") == ["Old"]


def test_customer_list_ignores_staff_filters(cast):
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.bao})
    for query in ("office=1", "office=999", "assignee=none", "assignee=me", f"assignee={cast.bao.pk}", "priority=1"):
        response = signed_in(cast.casey).get(f"/tickets/?{query}")
        assert subjects(response) == ["Charged twice"]
        assert response.context["chips"] == []
        assert not response.context["form"].errors
    page = signed_in(cast.casey).get("/tickets/").text
    assert "Fraud" not in page
    assert "Emil Sørensen" not in page
    assert shown(cast.bao, "?assignee=none") == []


def test_agents_own_request_does_not_reveal_an_internal_office(cast):
    ticket = ask(cast, "Bao's own", by=cast.bao, office=cast.orders)
    services.update_ticket(ticket, by=cast.ada, values={"office": cast.fraud})
    query = f"?office={cast.fraud.pk}"
    assert "Bao's own" in shown(cast.bao)
    assert shown(cast.bao, query) == []
    assert shown(cast.fatima, query) == shown(cast.ada, query) == ["Bao's own"]


# Invalid parameters


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "nonsense"), ("status", "9" * 5000), ("priority", "-1"), ("office", "x\x00"), ("assignee", "x"),
        ("assignee", "'; DROP TABLE"), ("created_from", "yesterday"), ("created_from", "0001-01-01"),
        ("updated_to", "9999-12-31"), ("updated_from", "2026-02-30"), ("sort", "password"), ("q", "a\x00b"),
        ("q", "x" * 201), ("q", "a " * 13),
    ],
)  # fmt: skip
def test_invalid_parameter_shows_an_error_and_is_ignored(cast, field, value):
    response = signed_in(cast.bao).get("/tickets/", {field: value})
    assert subjects(response) == ["Charged twice"]
    assert list(response.context["form"].errors) == [field]
    assert f'id="filter-{field}_error"' in response.text


def test_period_that_ends_before_it_begins_is_rejected(cast):
    response = signed_in(cast.bao).get("/tickets/?created_from=2026-05-02&created_to=2026-05-01")
    assert "The end date is before the start date." in response.text


def test_several_values_of_a_filter_list_tickets_with_any_of_them(cast):
    urgent = ask(cast, "Urgent one", priority=cast.priority("Urgent"))
    services.update_ticket(urgent, by=cast.ada, values={"assigned_to": cast.bao})
    ask(cast, "Orders' one", office=cast.orders, priority=cast.priority("Low"))
    ask(cast, "Done", status=cast.status("Closed"))
    orders, billing, hold = cast.orders.pk, cast.billing.pk, cast.status("On Hold").pk
    assert shown(cast.ada, f"?office={orders}&office={billing}&assignee=none") == ["Orders' one", "Charged twice"]
    assert shown(cast.ada, f"?assignee={cast.bao.pk}&assignee=me") == ["Urgent one"]
    assert shown(cast.ada, "?priority=urgent&priority=low") == ["Orders' one", "Urgent one"]
    assert shown(cast.ada, f"?status=closed&status={hold}") == ["Done"]
    assert shown(cast.ada, f"?status=waiting&status=closed&office={billing}&sort=created&assignee=none") == [
        "Charged twice", "Done"
    ]  # fmt: skip
    assert shown(cast.casey, "?status=unread&status=closed&status=") == ["Done"]


def test_value_that_does_not_exist_is_an_error_beside_others(cast):
    response = signed_in(cast.bao).get("/tickets/?status=closed&status=gone")
    assert list(response.context["form"].errors) == ["status"]
    assert subjects(response) == ["Charged twice"]


def test_single_filter_counts_once(cast):
    assert shown(cast.bao, "?status=all&q=x&q=charged") == ["Charged twice"]


def test_active_filters_can_be_removed_one_by_one(cast):
    response = signed_in(cast.bao).get("/tickets/?assignee=me&q=May&created_from=2026-05-02&sort=created&after=zzz")
    chips = {chip["value"]: chip["query"] for chip in response.context["chips"]}
    assert {str(value) for value in chips} == {"Me", "2 May 2026", "May"}
    assert chips["May"] == "created_from=2026-05-02&sort=created&assignee=me"


def test_each_value_of_a_filter_is_a_chip(cast):
    response = signed_in(cast.bao).get("/tickets/?status=closed&status=open&assignee=me&assignee=none&assignee=me")
    opened = cast.status("Open").pk
    assert re.search(r"<h1[^>]*>\s*Tickets\s*</h1>", response.text)
    assert [(str(chip["label"]), str(chip["value"]), chip["query"]) for chip in response.context["chips"]] == [
        ("Status", "Closed", f"status={opened}&assignee=me&assignee=none"),
        ("Status", "Open", "status=closed&assignee=me&assignee=none"),
        ("Assignee", "Me", f"status=closed&status={opened}&assignee=none"),
        ("Assignee", "No one", f"status=closed&status={opened}&assignee=me"),
    ]


# Order and pages


def test_each_order_in_both_directions(cast):
    Ticket.objects.all().delete()
    for subject, priority, moment in (("A", "Low", at(3)), ("B", "Urgent", at(1)), ("C", "High", at(2))):
        times = {"created_at": moment, "updated_at": moment, "public_updated_at": moment}
        ask(cast, subject, priority=cast.priority(priority), **times)
    Ticket.objects.filter(subject="B").update(updated_at=at(9))
    orders = {sort: "".join(shown(cast.bao, f"?sort={sort}")) for sort in ("updated", "created", "priority")}
    assert orders == {"updated": "CAB", "created": "BCA", "priority": "ACB"}
    for sort, order in orders.items():
        assert "".join(shown(cast.bao, f"?sort=-{sort}")) == order[::-1]


def walk(user: User, query: str, way: str) -> list[list[str]]:
    """Follow the links in one direction to the last page."""
    client, pages, cursor = signed_in(user), [], ""
    while True:
        assert len(pages) < 10, "These pages have no end."
        response = client.get(f"/tickets/?{query}{cursor}")
        pages.append(subjects(response))
        page = response.context["page"]
        link = page.older if way == "after" else page.newer
        if not link:
            return pages
        assert quote(link) in response.text
        cursor = f"&{way}={link}"


@pytest.mark.parametrize("sort", ["-updated", "updated", "-created", "created", "-priority", "priority"])
def test_pages_have_no_gap_with_equal_sort_values(cast, sort):
    Ticket.objects.all().delete()
    same = {"created_at": at(1), "updated_at": at(1), "public_updated_at": at(1)}
    for number in range(7):
        ask(cast, str(number), **same)
    pages = walk(cast.bao, f"sort={sort}", "after")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(chain(*pages)) == list("0123456")


def test_pages_link_back(cast):
    for number in range(7):
        ask(cast, str(number))
    client = signed_in(cast.bao)
    first = client.get("/tickets/")
    second = client.get("/tickets/", {"after": first.context["page"].older})
    third = client.get("/tickets/", {"after": second.context["page"].older})
    again = client.get("/tickets/", {"before": third.context["page"].newer})
    assert subjects(again) == subjects(second)
    assert subjects(client.get("/tickets/", {"before": again.context["page"].newer})) == subjects(first)


def test_changes_between_pages_neither_hide_nor_repeat_rows(cast):
    tickets = {str(number): ask(cast, str(number)) for number in range(7)}
    client = signed_in(cast.bao)
    first = client.get("/tickets/")
    assert subjects(first) == ["6", "5", "4"]
    services.update_ticket(tickets["2"], by=cast.bao, values={"priority": cast.priority("High")})
    services.update_ticket(tickets["6"], by=cast.bao, values={"status": cast.status("Closed")})
    ask(cast, "7")
    assert subjects(client.get("/tickets/", {"after": first.context["page"].older})) == ["3", "1", "0"]


@pytest.mark.parametrize("way", ["after", "before"])
def test_invalid_cursor_shows_the_first_page_with_a_message(cast, way):
    for number in range(4):
        ask(cast, str(number))
    other = encryption.encrypt(json.dumps(["-updated", at(1).isoformat(), 1]), purpose="cursor")
    ours = encryption.encrypt(json.dumps(["-created", at(1).isoformat(), 1]), purpose="tickets.page")
    for cursor in ("zzz", "x" * 4000, "\x00", "ä", other, ours):
        response = signed_in(cast.bao).get("/tickets/", {way: cursor})
        assert subjects(response) == ["3", "2", "1"]
        assert "Showing the first page" in response.text


def test_cursor_does_not_reveal_the_number_of_tickets(cast):
    for number in range(4):
        ask(cast, str(number))
    older = signed_in(cast.casey).get("/tickets/").context["page"].older
    assert json.loads(encryption.decrypt(older, purpose="tickets.page"))[2] == Ticket.objects.get(subject="1").pk
    assert older != signed_in(cast.casey).get("/tickets/").context["page"].older


# Counts


def counts(user: User) -> dict[str, int]:
    response = signed_in(user).get("/tickets/counts/")
    assert response["Cache-Control"] == "private, no-store"
    return response.json()["counts"]


def test_each_view_count_matches_its_tickets(cast):
    services.update_ticket(ask(cast, "Bao's"), by=cast.bao, values={"assigned_to": cast.bao})
    ask(cast, "Done", status=cast.status("Closed"))
    ask(cast, "Orders' one", office=cast.orders, by=cast.greta)
    ask(cast, "Bao asks", office=cast.orders, by=cast.bao)
    for person in (cast.ada, cast.bao, cast.casey, cast.greta):
        counted = counts(person)
        for view in signed_in(person).get("/tickets/").context["views"]:
            query = view["query"].removeprefix("?")
            assert counted[view["key"]] == view["number"] == len([*chain(*walk(person, query, "after"))]), view
        assert counted["all"] > 0


def test_agent_counts_cover_only_their_offices(cast):
    counted = {key: number for key, number in counts(cast.bao).items() if key.startswith("office-")}
    assert counted == {f"office-{cast.billing.pk}": 1}
    ask(cast, "Done", status=cast.status("Closed"))
    assert counts(cast.ada)[f"office-{cast.billing.pk}"] == 1


def test_customer_counts_reveal_no_notes_assignees_or_offices(cast):
    before = counts(cast.casey)
    cast.reply(cast.bao, "Fishy", internal=True)
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.bao})
    services.update_ticket(cast.ticket, by=cast.bao, values={"office": cast.fraud})
    assert counts(cast.casey) == before
    assert not [key for key in before if key.startswith(("office", "mine", "unassigned"))]
    cast.reply(cast.ada, "Which charge?")
    assert counts(cast.casey) == before | {"waiting": 1, "unread": 1}


def test_headings_sort_the_list_and_say_how_it_is_sorted(cast: Cast) -> None:
    ask(cast, "Urgent", priority=cast.priority("Urgent"))
    bao, address = signed_in(cast.bao), "/tickets/?assignee=none&after=x"
    for link, present, first in (
        ("?assignee=none&amp;sort=-priority", "none", "Urgent"),
        ("?assignee=none&amp;sort=priority", "descending", "Charged twice"),
        ("?assignee=none&amp;sort=-priority", "ascending", "Urgent"),
    ):
        page = bao.get(address).text
        heading = f'class="col-priority" aria-sort="{present}">\n  \n    <a id="sort-priority" href="{link}">'
        assert heading in page
        address = f"/tickets/{link.replace('&amp;', '&')}"
        assert subjects(bao.get(address))[0] == first
    assert 'class="col-updated" aria-sort="descending"' in bao.get("/tickets/").text
    assert "aria-sort" not in bao.get("/").text


def test_anonymous_user_gets_no_counts(cast, client):
    assert client.get("/tickets/counts/").status_code == 302


@pytest.mark.parametrize("name", ["casey", "bao", "ada"])
@pytest.mark.parametrize("address", ["/tickets/", "/tickets/?q=x&sort=-priority", "/tickets/counts/"])
def test_list_query_count_is_independent_of_rows(
    cast: Cast, name: str, address: str, monkeypatch, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(list_pages.paginate, "__kwdefaults__", {"after": "", "before": "", "size": 50})
    client, asked = signed_in(getattr(cast, name)), []
    client.get(address)  # the first request of a sign-in writes it down
    for number in (2, 6):
        for _ in range(number):
            services.update_ticket(ask(cast, "x"), by=cast.ada, values={"assigned_to": cast.bao})
        with django_assert_max_num_queries(31) as queries:
            assert client.get(address).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
