"""Search: what users may read is found, and nothing else is revealed."""

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tickets import counts, list_pages, services
from tickets.models import SearchText, Ticket

pytestmark = pytest.mark.django_db


def found(user: User, text: str) -> list[str]:
    """Return the subjects of the tickets that `user`'s search finds, in any order."""
    client = Client()
    client.force_login(user)
    response = client.get("/tickets/", {"q": text, "status": "all"})
    assert response.status_code == 200
    return sorted(row["ticket"]["subject"] for row in response.context["rows"])


def opened(user: User, text: str, **query: str) -> str | None:
    """Return the address that a search redirects to."""
    client = Client()
    client.force_login(user)
    return client.get("/tickets/", {"q": text, **query}).headers.get("Location")


@pytest.fixture(autouse=True)
def _another(cast: Cast) -> None:
    services.open_ticket(by=cast.greta, subject="Chair", content="A leg fell off", office=cast.orders)


def test_search_matches_subject_message_and_replies(cast):
    cast.reply(cast.bao, "Which invoice is it?")
    for text in ("charged", "CHARGES may", "invoice", "which", "Charg"):
        assert found(cast.ada, text) == found(cast.casey, text) == ["Charged twice"], text
    assert found(cast.ada, "leg") == ["Chair"]
    assert found(cast.ada, "elephant") == []


def test_search_matches_reference_in_any_notation(cast):
    Ticket.objects.filter(pk=cast.ticket.pk).update(reference="K7F-Q2MD")
    for text in ("K7F-Q2MD", "k7fq2md", " k7f q2md ", "#K7F-Q2MD", "[K7F-Q2MD]", "(k7f-q2md)."):
        assert opened(cast.ada, text) == opened(cast.casey, text) == cast.ticket.get_absolute_url(), text
        assert opened(cast.greta, text) is None


@pytest.mark.parametrize("status", ["Open", "Closed"])
def test_reference_or_address_opens_its_ticket(cast, status):
    Ticket.objects.filter(pk=cast.ticket.pk).update(status=cast.status(status))
    page = cast.ticket.get_absolute_url()
    for text in (cast.ticket.reference, f"https://desk.example.com{page}", f"{page}#reply-1", page):
        assert opened(cast.bao, text) == opened(cast.bao, text, status="active") == page
        assert opened(cast.greta, text) is None
    assert opened(cast.bao, "/tickets/00000000-0000-0000-0000-00000000000x/") is None


def test_search_looks_everywhere_unless_a_filter_is_chosen(cast):
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    client = Client()
    client.force_login(cast.bao)

    def subjects(query: str) -> list[str]:
        rows = client.get(f"/tickets/{query}").context["rows"]
        return [row["ticket"]["subject"] for row in rows]

    assert subjects("?q=charged") == subjects("?q=casey@example.com&status=") == ["Charged twice"]
    assert subjects("?q=charged&status=closed") == ["Charged twice"]
    assert subjects("?q=charged&status=active") == subjects("") == subjects("?q=%20") == []
    for query, chips in (("?q=charged", 1), ("?q=charged&status=active", 2)):
        page = client.get(f"/tickets/{query}")
        assert len(page.context["chips"]) == chips
        assert "Search results" in page.text


def test_number_of_found_tickets_is_shown(cast, monkeypatch):
    for number in range(4):
        services.open_ticket(by=cast.casey, subject=f"Zebra {number}", content="x", office=cast.billing)
    client = Client()
    client.force_login(cast.bao)
    assert "1 ticket\n" in client.get("/tickets/?q=charged").text
    assert "4 tickets\n" in client.get("/tickets/?q=zebra").text
    assert "0 tickets\n" in client.get("/tickets/?q=elephant").text
    monkeypatch.setattr(counts, "MAX_COUNT", 4)
    monkeypatch.setattr(list_pages.paginate, "__kwdefaults__", {"after": "", "before": "", "size": 2})
    assert "More than 3 tickets" in client.get("/tickets/?q=zebra").text


def test_search_matches_customer_name_and_for_staff_email(cast):
    assert found(cast.bao, "rivers") == found(cast.bao, "casey rivers") == ["Charged twice"]
    assert found(cast.bao, "casey@example.com") == found(cast.ada, "CASEY@example.com") == ["Charged twice"]
    assert found(cast.casey, "casey@example.com") == []
    assert found(cast.casey, "rivers") == ["Charged twice"]


def test_search_finds_only_visible_tickets(cast):
    assert found(cast.greta, "charged") == []
    assert found(cast.fatima, "charged") == []
    assert found(cast.bao, "chair") == []
    assert found(cast.emil, "chair") == ["Chair"]


def test_note_is_found_by_staff_of_its_ticket_only(cast):
    own = services.open_ticket(by=cast.bao, subject="Bao asks", content="x", office=cast.orders)
    for ticket, by in ((cast.ticket, cast.bao), (own, cast.emil)):
        services.add_reply(ticket, by=by, message="Suspicious zebra", internal=True)
    assert found(cast.ada, "zebra") == ["Bao asks", "Charged twice"]
    assert found(cast.bao, "zebra") == ["Charged twice"]
    assert found(cast.emil, "zebra") == ["Bao asks"]
    assert found(cast.casey, "zebra") == found(cast.casey, "suspi") == []


def test_customer_search_queries_do_not_depend_on_notes(cast, django_assert_max_num_queries):
    texts = []
    for _ in range(2):
        client = Client()
        client.force_login(cast.casey)
        with django_assert_max_num_queries(30) as queries:
            page = client.get("/tickets/?q=zebra")
        texts.append(([query["sql"] for query in queries if "icontains" in query or "LIKE" in query["sql"]], page))
        cast.reply(cast.bao, "Suspicious zebra", internal=True)
    assert texts[0][0] == texts[1][0] != []
    assert texts[0][1].context["views"] == texts[1][1].context["views"]
    assert texts[0][1].context["rows"] == texts[1][1].context["rows"] == []


@pytest.mark.parametrize(
    "text",
    ["%", "_", "'", '"', '"open', "-", "- -", "or", "a or", "(", "a & b", "!x", "x:*", "\\", "💥", "<b>", ":*",
     "a" * 200, "a " * 12, "--", "NEAR(", "*"],
)  # fmt: skip
def test_no_text_breaks_the_search(cast, text):
    assert isinstance(found(cast.ada, text), list)


def test_percent_sign_is_not_a_wildcard(cast):
    services.open_ticket(by=cast.casey, subject="20% off", content="x", office=cast.billing)
    assert found(cast.ada, "%") == ["20% off"]


def test_command_indexes_what_is_missing(cast, capsys):
    SearchText.objects.filter(ticket=cast.ticket).delete()
    assert found(cast.bao, "charged") == []
    call_command("index_messages")
    assert "1 indexed" in capsys.readouterr().out
    assert found(cast.bao, "charged") == ["Charged twice"]
    call_command("index_messages", all=True)
    assert "2 indexed" in capsys.readouterr().out


def announced(user: User, *tickets: Ticket, **query: str) -> list[str]:
    """Return the subjects of the `tickets` that an open search announces after a change."""
    client = Client()
    client.force_login(user)
    response = client.get("/tickets/found/", query | {"ticket": [str(ticket.uuid) for ticket in tickets]})
    assert (response.status_code, response["Cache-Control"]) == (200, "private, no-store")
    return sorted(Ticket.objects.filter(uuid__in=response.json()["tickets"]).values_list("subject", flat=True))


def test_open_search_announces_only_tickets_that_it_finds(cast):
    chair = Ticket.objects.get(subject="Chair")
    for query, subjects in (
        ({"q": "charged"}, ["Charged twice"]),
        ({"q": "leg"}, ["Chair"]),
        ({"q": "elephant"}, []),
    ):
        assert announced(cast.ada, cast.ticket, chair, **query) == subjects
    assert announced(cast.ada, chair, q="charged") == []
    assert announced(cast.ada, cast.ticket, q="charged", status="closed") == []


def test_open_search_announces_nothing_that_its_user_may_not_read(cast):
    cast.reply(cast.bao, "Suspicious zebra", internal=True)
    assert announced(cast.bao, cast.ticket, q="zebra") == ["Charged twice"]
    assert announced(cast.casey, cast.ticket, q="zebra") == []
    assert announced(cast.greta, cast.ticket, q="charged") == []


def test_wrong_names_of_tickets_are_ignored(cast):
    client = Client()
    client.force_login(cast.ada)
    answer = client.get("/tickets/found/", {"q": "charged", "ticket": ["x", "", str(cast.ticket.uuid)]})
    assert answer.json() == {"tickets": [str(cast.ticket.uuid)]}


def test_list_asks_about_changed_tickets_only_in_a_search(cast):
    client = Client()
    client.force_login(cast.bao)
    assert 'data-search="true"' in client.get("/tickets/?q=charged").text
    assert "data-search" not in client.get("/tickets/?sort=created").text
