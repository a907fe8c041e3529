"""Operators in the search field: which are filters, and that they find what the filters find."""

from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client

from accounts.models import User
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import services
from tickets.models import Ticket
from tickets.search.operators import expanded
from tickets.tags.services import add_tag

pytestmark = pytest.mark.django_db


def query(text: str, *, is_staff: bool = True, **others: str) -> dict[str, str]:
    """Return the parameters; several values of one are joined by a comma."""
    data = QueryDict(mutable=True)
    data.update({"q": text, **others})
    return {name: ", ".join(values) for name, values in expanded(data, is_staff=is_staff).lists()}


def found(user: User, text: str) -> list[str]:
    """Return the subjects that the list and, alike, the API find."""
    client = Client()
    client.force_login(user)
    page = client.get("/tickets/", {"q": text})
    subjects = [row["ticket"]["subject"] for row in page.context["rows"]]
    results = ApiClient(user).get(f"tickets/?{urlencode({'q': text})}").json()["results"]
    assert [row["subject"] for row in results] == subjects
    return sorted(subjects)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("tag:refund", {"q": "", "tag": "refund", "status": "all"}),
        ("charged Tag:refund twice", {"q": "charged twice", "tag": "refund"}),
        ('status:"On Hold" tag:"needs refund"', {"q": "", "status": "On Hold", "tag": "needs refund"}),
        ("from:casey@example.com assignee:me x", {"q": "x", "customer": "casey@example.com", "assignee": "me"}),
        ("after:2026-03-01 x", {"q": "x", "created_from": "2026-03-01"}),
        ("before:2026-03-01 x", {"q": "x", "created_to": "2026-02-28"}),
        ("tag:a x tag:b", {"q": "x", "tag": "a, b"}),
        ("status:open status:pending", {"q": "", "status": "open, pending"}),
        ("priority:high priority:low office:billing x", {"q": "x", "priority": "high, low", "office": "billing"}),
    ],
)
def test_operators_become_filters(typed: str, expected: dict[str, str]) -> None:
    assert query(typed) == expected


@pytest.mark.parametrize(
    "typed",
    ["error:404", "http://example.com", "status: closed", "tag:", 'say "tag:x y"', "before:lunch", "after:2026-02-30",
     "a-tag:b", "before:0001-01-01", "status::x"],
)  # fmt: skip
def test_other_text_is_words(typed: str) -> None:
    assert query(typed) == {"q": typed}


def test_customers_have_no_operators_for_what_they_do_not_see() -> None:
    typed = "tag:a from:b assignee:c priority:d office:e"
    assert query(typed, is_staff=False) == {"q": typed}
    assert query("status:closed", is_staff=False) == {"q": "", "status": "closed"}


def test_operator_comes_before_the_chosen_filter() -> None:
    assert query("tag:refund", tag="vip", status="closed") == {"q": "", "tag": "refund", "status": "closed"}


def test_operators_find_what_filters_find(cast: Cast) -> None:
    late = services.open_ticket(by=cast.greta, subject="Late", content="Where is it?", office=cast.billing)
    services.update_ticket(late, by=cast.bao, values={"assigned_to": cast.bao, "priority": cast.priority("High")})
    services.update_ticket(late, by=cast.bao, values={"status": cast.status("Closed"), "tags": ["refund"]})
    for typed in (
        "tag:refund", "status:closed", "assignee:me", "from:greta", "from:greta@example.com", "priority:high",
        "where status:closed", 'from:"greta lindqvist" where',
    ):  # fmt: skip
        assert (typed, found(cast.bao, typed)) == (typed, ["Late"])
    both = ["Charged twice", "Late"]
    for typed in ("status:closed status:open", "assignee:me assignee:none", "priority:high priority:medium"):
        assert (typed, found(cast.bao, typed)) == (typed, both)
    add_tag(cast.ticket, "vip", by=cast.bao)
    assert found(cast.bao, "tag:refund tag:vip") == both
    assert found(cast.bao, "tag:refund tag:vip assignee:me") == ["Late"]
    assert found(cast.bao, "from:casey from:greta") == ["Late"]
    assert found(cast.bao, "office:billing") == both == found(cast.bao, "after:2020-01-01")
    assert found(cast.bao, "before:2020-01-01") == [] == found(cast.bao, "from:greta twice")


def test_from_finds_only_tickets_that_the_user_is_staff_of(cast: Cast) -> None:
    services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    assert found(cast.emil, "from:bao") == ["Chair"]
    assert found(cast.bao, "from:bao") == []


def test_page_shows_operators_as_filters_to_remove(cast: Cast) -> None:
    tag = add_tag(cast.ticket, "refund", by=cast.bao)
    client = Client()
    client.force_login(cast.bao)
    page = client.get("/tickets/", {"q": "tag:refund charged"})
    chips = [(str(chip["label"]), str(chip["value"]), chip["query"]) for chip in page.context["chips"]]
    assert chips == [("Tag", "refund", "q=charged"), ("Search", "charged", f"tag={tag.pk}")]
    assert 'name="q" value="charged"' in page.content.decode()
    page = client.get("/tickets/", {"q": 'status:"on hold" priority:high'})
    assert [page.context["form"][name].value() for name in ("status", "priority")] == [
        [str(cast.status("On Hold").pk)],
        [str(cast.priority("High").pk)],
    ]
    unknown = client.get("/tickets/", {"q": "tag:nothing charged"})
    assert "Unknown value. Choose one of: refund." in unknown.content.decode()
    assert [row["ticket"]["subject"] for row in unknown.context["rows"]] == ["Charged twice"]


def test_reference_is_opened_as_before(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.bao)
    assert client.get("/tickets/", {"q": cast.ticket.reference})["Location"] == cast.ticket.get_absolute_url()
    assert Ticket.objects.count() == 1
