"""The number of tickets of a list, and which of them a page shows."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests.support.cast import Cast
from tickets import counts, list_pages, services
from tickets.models import SavedView, Ticket
from tickets.views import list_totals

pytestmark = pytest.mark.django_db
QUERIES = 24  # without the number of tickets


@pytest.fixture(autouse=True)
def seven_tickets_on_pages_of_three(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_pages.paginate, "__kwdefaults__", {"after": "", "before": "", "size": 3})
    same = {"creator": cast.casey, "office": cast.billing, "status": cast.status("Open"), "content": "x"}
    for number in range(6):
        priority = cast.priority("High" if number < 4 else "Low")
        Ticket.objects.create(subject=str(number), priority=priority, **same)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def total(page: str) -> str | None:
    found = re.search(r'<p class="list-count"><span[^>]*>([^<]*)<', page)
    return found and found[1]


def shown(page: str) -> str | None:
    found = re.search(r'<span class="pages-range">(.*?)</span></span>', page, re.DOTALL)
    return found and re.sub("<[^>]*>", "", found[1]).strip()


def test_list_says_how_many_tickets_it_has_and_which_a_page_shows(cast: Cast) -> None:
    bao, seen = signed_in(cast.bao), []
    address = "/tickets/"
    while address:
        answer = bao.get(address)
        seen.append((total(answer.text), shown(answer.text)))
        older = answer.context["page"].older
        address = f"/tickets/?after={older}" if older else ""
    assert seen == [("7", "1–3 of 7"), ("7", "4–6 of 7"), ("7", "7–7 of 7")]
    newer = answer.context["page"].newer
    assert shown(bao.get("/tickets/", {"before": newer}).text) == "4–6 of 7"


def test_total_is_that_of_the_filters(cast: Cast) -> None:
    high, bao = cast.priority("High").pk, signed_in(cast.bao)
    page = bao.get(f"/tickets/?priority={high}").text
    assert (total(page), shown(page)) == ("4", "1–3 of 4")
    assert 'class="list-count"><span>4<' in page  # no view counts them live
    assert total(bao.get("/tickets/?assignee=me").text) == "0"


def test_total_of_a_view_is_its_live_count(cast: Cast) -> None:
    assert '<p class="list-count"><span data-count="active">7<' in signed_in(cast.bao).get("/tickets/").text


def test_saved_view_has_its_own_total(cast: Cast) -> None:
    bao = signed_in(cast.bao)
    query = f"priority={cast.priority('High').pk}"
    bao.post("/settings/views/new/", {"name": "High", "query": query, "visible_to": "me"})
    view = SavedView.objects.get()
    page = bao.get(f"/tickets/?{query}&view={view.pk}").text
    assert f'<span data-count="view-{view.pk}">4<' in page


def test_counts_stop_where_they_do_elsewhere(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (counts, list_totals):
        monkeypatch.setattr(module, "MAX_COUNT", 4)
    bao = signed_in(cast.bao)
    first = bao.get("/tickets/?sort=created")
    second = bao.get("/tickets/", {"sort": "created", "after": first.context["page"].older})
    assert shown(second.text).startswith("4–6 of ")
    third = bao.get("/tickets/", {"sort": "created", "after": second.context["page"].older})
    assert shown(third.text) is None


def test_total_counts_what_the_person_may_see(cast: Cast) -> None:
    services.update_ticket(Ticket.objects.get(subject="0"), by=cast.ada, values={"office": cast.orders})
    assert (total(signed_in(cast.bao).get("/tickets/").text), total(signed_in(cast.ada).get("/tickets/").text)) == (
        "6",
        "7",
    )


def test_customers_have_no_total(cast: Cast) -> None:
    page = signed_in(cast.casey).get("/tickets/").text
    assert (total(page), shown(page)) == (None, None)


@pytest.mark.parametrize(
    ("query", "more"), [("", 0), ("?assignee=none", 0), ("?priority={high}", 1)], ids=["a view", "another", "filters"]
)
def test_total_costs_a_query_only_without_a_count(
    cast: Cast, query: str, more: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    bao, address = signed_in(cast.bao), "/tickets/" + query.format(high=cast.priority("High").pk)
    bao.get(address)
    with django_assert_num_queries(QUERIES + more):
        bao.get(address)
