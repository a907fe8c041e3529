"""The home page: tickets that need attention and recent activity, within the user's permissions."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests.support.cast import Cast
from tickets import policies, services

pytestmark = pytest.mark.django_db


def home(user: User):
    client = Client()
    client.force_login(user)
    response = client.get("/")
    assert response.status_code == 200
    return response


def lines(user: User) -> list[tuple[str, str]]:
    """Return actor and action of the entries, latest first."""
    entries = home(user).context["activity"]
    return [(line["actor"]["name"], line["action"]) for entry in entries for line in entry["lines"]]


def ask(cast: Cast, subject: str, by: User, office=None):
    return services.open_ticket(by=by, subject=subject, content="x", office=office or cast.billing)


def test_sign_in_redirects_to_the_dashboard(cast, client):
    response = client.post("/login/", {"login": "casey@example.com", "password": "correct horse battery"})
    assert response["Location"] == "/"
    assert "Hello, <bdi>Casey Rivers</bdi>" in home(cast.casey).text
    assert Client().get("/")["Location"].startswith("/login/")


def test_customer_sees_their_tickets(cast):
    done, answered, again = (ask(cast, subject, cast.casey) for subject in ("Done", "Answered", "Answered twice"))
    services.update_ticket(done, by=cast.bao, values={"status": cast.status("Closed")})
    for ticket in (answered, again, done):
        services.add_reply(ticket, by=cast.bao, message="How so?")
    services.add_reply(again, by=cast.casey, message="Because")
    services.add_reply(again, by=cast.bao, message="Hm", internal=True)
    page = home(cast.casey)
    assert {key: page.context["numbers"][key] for key in ("active", "waiting", "closed")} == {
        "active": 3, "waiting": 1, "closed": 1,
    }  # fmt: skip
    subjects = [row["ticket"]["subject"] for row in page.context["rows"]]
    assert subjects == ["Answered twice", "Done", "Answered", "Charged twice"]
    assert "Needs your reply" in page.text


def test_agent_sees_assigned_tickets_and_offices(cast):
    services.update_ticket(ask(cast, "Mine", cast.greta), by=cast.bao, values={"assigned_to": cast.bao})
    ask(cast, "Elsewhere", cast.greta, cast.orders)
    page = home(cast.bao)
    assert [row["ticket"]["subject"] for row in page.context["rows"]] == ["Mine"]
    assert [(line["office"], line["number"]) for line in page.context["offices"]] == [(cast.billing, 2)]
    assert {key: page.context["numbers"][key] for key in ("mine", "unassigned", "active")} == {
        "mine": 1, "unassigned": 1, "active": 2,
    }  # fmt: skip
    assert [line["office"].name for line in home(cast.ada).context["offices"]] == ["Billing", "Fraud Desk", "Orders"]


def test_activity_shows_only_readable_entries(cast):
    cast.reply(cast.bao, "Fishy", internal=True)
    cast.reply(cast.bao, "Which charge?")
    assert lines(cast.dana) == lines(cast.ada) == [
        ("Bao Nguyen", "replied"), ("Bao Nguyen", "noted"), ("Casey Rivers", "created"),
    ]  # fmt: skip
    assert lines(cast.emil) == []
    own = ask(cast, "Bao asks", cast.bao, cast.orders)
    services.add_reply(own, by=cast.emil, message="Fishy, too", internal=True)
    services.add_reply(own, by=cast.emil, message="Why?")
    assert lines(cast.emil)[:2] == [("Emil Sørensen", "replied"), ("Emil Sørensen", "noted")]
    assert lines(cast.bao)[:2] == [("Emil Sørensen", "replied"), ("Bao Nguyen", "created")]


@pytest.mark.parametrize("name", ["ada", "bao", "dana", "emil", "fatima", "casey", "greta", "hiro"])
def test_activity_equals_all_ticket_timelines(cast, name):
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.emil})
    services.update_ticket(cast.ticket, by=cast.bao, values={"office": cast.fraud})
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})
    own = ask(cast, "Bao asks", cast.bao, cast.fraud)
    for ticket, by in ((cast.ticket, cast.emil), (own, cast.fatima)):
        services.add_reply(ticket, by=by, message="Fishy", internal=True)
        services.update_ticket(ticket, by=by, values={"status": cast.status("Closed")})
    user = getattr(cast, name)
    each = {line.pk for ticket in (cast.ticket, own) for line in policies.visible_timeline(user, fresh(ticket))}
    together = list(policies.visible_activity(user))
    assert {line.pk for line in together} == each
    assert all(line.is_staffed == policies.is_staff_of(user, line.ticket) for line in together)


def fresh(ticket):
    return type(ticket).objects.get(pk=ticket.pk)


def test_customer_dashboard_has_no_trace_of_notes_or_assignees(cast):
    before = home(cast.casey).context
    cast.reply(cast.dana, "Fishy", internal=True)
    services.update_ticket(cast.ticket, by=cast.bao, values={"office": cast.fraud})
    after = home(cast.casey)
    assert after.context["numbers"] == before["numbers"]
    for trace in ("Fishy", "Dana", "Fraud", "note", "Unassigned"):
        assert trace not in after.text.split("<main")[1].split("</main")[0]


@pytest.mark.parametrize("name", ["casey", "bao", "ada"])
def test_dashboard_query_count_is_independent_of_rows(
    cast: Cast, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client, asked = Client(), []
    client.force_login(getattr(cast, name))
    client.get("/")
    for number in (2, 6):
        for _ in range(number):
            ticket = ask(cast, "x", cast.casey)
            services.update_ticket(ticket, by=cast.ada, values={"assigned_to": cast.bao})
            services.add_reply(ticket, by=cast.dana, message="x")
        with django_assert_max_num_queries(25) as queries:
            assert client.get("/").status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
