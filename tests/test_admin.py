"""Django's admin: each page applies the policies, and each change goes through a service."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, DeskSettings, Office, User
from realtime.broadcasting.channel_layer import REAUTHORIZE_CHANNEL
from realtime.models import Broadcast
from tests.support.cast import PASSWORD, Cast
from tests.support.sign_in import reauthenticate
from tickets import services
from tickets.models import Reply, Ticket

pytestmark = pytest.mark.django_db
LISTS = sorted(
    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    reauthenticate(client, user)
    return client


def ticket_page(ticket: Ticket) -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def filled_in(client: Client, address: str, **changes: Any) -> dict[str, Any]:
    """Return the values a browser would submit for a page's forms, with some changed."""
    response = client.get(address)
    form = response.context["adminform"].form
    inlines = [inline.formset for inline in response.context["inline_admin_formsets"]]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', response.text))
    for part in (form, *(formset.management_form for formset in inlines)):
        fields |= {part.add_prefix(name): part[name].value() for name in part.fields}
    for formset in inlines:
        for row in formset.initial_forms:
            fields[row.add_prefix("id")] = row.instance.pk
    return {name: "" if value is None else value for name, value in (fields | changes).items() if value is not False}


def save(client: Client, address: str, **changes: Any) -> Any:
    return client.post(address, filled_in(client, address, **changes))


def with_reply(message: str, **fields: str) -> dict[str, str]:
    """Return the inline's fields of a new reply."""
    new = {"replies-0-message": message} | {f"replies-0-{name}": value for name, value in fields.items()}
    return {"replies-TOTAL_FORMS": "1", **new}


def names(response: Any) -> set[str]:
    """Return the texts of a list's first column."""
    return {str(row) for row in response.context["cl"].result_list}


def test_only_staff_enter_the_admin(cast: Cast) -> None:
    for person, status in ((cast.ada, 200), (cast.bao, 200), (cast.casey, 302), (cast.hiro, 302)):
        assert signed_in(person).get("/admin/").status_code == status
    assert Client().get("/admin/", follow=True).request["PATH_INFO"] == "/login/"


@pytest.mark.parametrize("address", LISTS)
def test_admins_see_every_list_and_customers_none(cast: Cast, address: str) -> None:
    cast.reply(cast.bao, "Secret", internal=True)
    UserSession.objects.create(user=cast.bao, ip="127.0.0.1", session_key="x", user_agent="x")
    ApiToken.objects.create(user=cast.bao, name="Import")
    assert signed_in(cast.ada).get(address, follow=True).status_code == 200
    assert signed_in(cast.ada).get(f"{address}?q=a", follow=True).status_code == 200
    assert signed_in(cast.casey).get(address).status_code == 302


def test_agent_sees_only_the_lists_of_their_work(cast: Cast) -> None:
    agent = signed_in(cast.bao)
    seen = {address for address in LISTS if agent.get(address).status_code == 200}
    ours = ["accounts_office", "accounts_user"]
    ours += [f"tickets_{name}" for name in ("attachment", "priority", "reply", "status", "ticket", "timelineentry")]
    assert seen == {reverse(f"admin:{name}_changelist") for name in ours}
    assert {address for address in LISTS if agent.get(address).status_code == 403} == set(LISTS) - seen


def test_agent_sees_only_tickets_of_their_offices(cast: Cast) -> None:
    other = services.open_ticket(by=cast.greta, subject="Elsewhere", content="x", office=cast.orders)
    services.add_reply(other, by=cast.emil, message="A note elsewhere", internal=True)
    own = services.open_ticket(by=cast.bao, subject="Opened by Bao", content="x", office=cast.orders)
    services.add_reply(own, by=cast.emil, message="A note on Bao", internal=True)
    agent = signed_in(cast.bao)
    assert names(agent.get("/admin/tickets/ticket/")) == {str(cast.ticket)}
    assert names(signed_in(cast.ada).get("/admin/tickets/ticket/")) == {str(cast.ticket), str(other), str(own)}
    for address in ("reply", "timelineentry", "attachment"):
        page = agent.get(f"/admin/tickets/{address}/").text
        assert not [word for word in ("Elsewhere", "A note", "Opened by Bao") if word in page]
    assert "A note elsewhere" in signed_in(cast.ada).get("/admin/tickets/reply/").text
    for part in ("change/", "history/", "delete/"):
        assert agent.get(f"/admin/tickets/ticket/{other.pk}/{part}").status_code in (403, 404)


def test_agent_filters_and_suggestions_name_only_visible_users(cast: Cast) -> None:
    agent = signed_in(cast.bao)
    page = agent.get("/admin/tickets/ticket/").text
    assert "?office=" in signed_in(cast.ada).get("/admin/tickets/ticket/").text
    assert not [word for word in ("Greta", "Hiro", "@example.com") if word in page]
    query = {"app_label": "tickets", "model_name": "ticket", "field_name": "assigned_to", "term": ""}
    found = {item["text"] for item in agent.get("/admin/autocomplete/", query).json()["results"]}
    assert found == {"Ada Admin", "Bao Nguyen", "Dana Okafor", "Emil Sørensen", "Fatima Zahra"}
    assert agent.get("/admin/autocomplete/", query | {"term": "casey"}).json()["results"] == []
    assert agent.get("/admin/autocomplete/", query | {"term": "emil@example"}).json()["results"] == []
    members = {"app_label": "accounts", "model_name": "office", "field_name": "agents", "term": ""}
    offered = {item["text"] for item in signed_in(cast.ada).get("/admin/autocomplete/", members).json()["results"]}
    assert offered == {"Bao Nguyen", "Dana Okafor", "Emil Sørensen", "Fatima Zahra"}


def test_agents_cannot_edit_users_or_offices(cast: Cast) -> None:
    agent = signed_in(cast.bao)
    address = f"/admin/accounts/user/{cast.dana.pk}/change/"
    page = agent.get(address).text
    assert "Dana Okafor" in page
    assert "dana@example.com" not in page
    assert agent.post(address, {"name": "X", "role": "customer", "email": "x@example.com"}).status_code == 403
    assert agent.get(f"/admin/accounts/user/{cast.casey.pk}/change/").status_code == 404
    assert agent.get("/admin/accounts/user/add/").status_code == 403
    assert agent.get(f"/admin/accounts/user/{cast.dana.pk}/password/").status_code == 403
    assert agent.post(f"/admin/accounts/office/{cast.billing.pk}/change/", {"name": "Mine"}).status_code == 403
    assert names(agent.get("/admin/accounts/office/")) == {"Billing"}
    assert agent.post("/admin/tickets/status/add/", {"name": "Mine"}).status_code == 403
    assert User.objects.get(pk=cast.dana.pk).role == "agent"


def test_admin_creates_an_agent_who_signs_in(cast: Cast) -> None:
    client = signed_in(cast.ada)
    person = {
        "email": "new@example.com", "name": "New", "role": "agent", "usable_password": "true",
        "password1": "a-long-phrase-7", "password2": "a-long-phrase-7",
    }  # fmt: skip
    assert client.post("/admin/accounts/user/add/", person).status_code == 302
    agent = User.objects.get(email="new@example.com")
    assert EmailAddress.objects.get(user=agent).verified
    office = {"name": "Billing", "agents": [str(agent.pk)]}
    assert client.post(f"/admin/accounts/office/{cast.billing.pk}/change/", office).status_code == 302
    assert list(cast.billing.agents.all()) == [agent]
    entered = Client().post("/login/", {"login": "new@example.com", "password": "a-long-phrase-7"})
    assert entered.status_code == 302


@pytest.mark.parametrize("change", [{"role": "agent"}, {"is_active": False}])
def test_admin_cannot_remove_their_own_role(cast: Cast, change: dict) -> None:
    address = f"/admin/accounts/user/{cast.ada.pk}/change/"
    response = save(signed_in(cast.ada), address, **change)
    assert "Only another admin can remove your admin role" in response.text
    other = User.objects.create_user("second@example.com", PASSWORD, name="Second", role="admin")
    assert save(signed_in(other), address, **change).status_code == 302


def test_users_cannot_be_deleted(cast: Cast) -> None:
    assert (
        signed_in(cast.ada).post(f"/admin/accounts/user/{cast.greta.pk}/delete/", {"post": "yes"}).status_code == 403
    )


def test_deleting_an_office_without_tickets_ends_subscriptions(cast: Cast) -> None:
    client = signed_in(cast.ada)
    client.post(f"/admin/accounts/office/{cast.billing.pk}/delete/", {"post": "yes"})
    assert Office.objects.filter(pk=cast.billing.pk).exists()
    Broadcast.objects.all().delete()
    client.post(f"/admin/accounts/office/{cast.fraud.pk}/delete/", {"post": "yes"})
    assert not Office.objects.filter(pk=cast.fraud.pk).exists()
    assert str(cast.fatima.pk) in Broadcast.objects.get(event=REAUTHORIZE_CHANNEL).staff


def test_only_changed_fields_are_saved(cast: Cast) -> None:
    client, address = signed_in(cast.bao), ticket_page(cast.ticket)
    sent = filled_in(client, address, subject="Refund")
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("On Hold")})
    assert client.post(address, sent).status_code == 302
    cast.ticket.refresh_from_db()
    assert (cast.ticket.subject, cast.ticket.status.name) == ("Refund", "On Hold")


def test_field_changed_by_a_colleague_is_a_conflict(cast: Cast) -> None:
    client, address = signed_in(cast.bao), ticket_page(cast.ticket)
    sent = filled_in(client, address, subject="Refund", status=cast.status("Closed").pk) | with_reply("A long note")
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("On Hold")})
    response = client.post(address, sent)
    assert response.status_code == 200
    assert "Dana Okafor changed this to “On Hold”" in response.text
    assert "A long note" in response.text
    cast.ticket.refresh_from_db()
    assert (cast.ticket.subject, cast.ticket.status.name, Reply.objects.count()) == ("Charged twice", "On Hold", 0)
    sent["seen"] = response.context["adminform"].form["seen"].value()
    assert client.post(address, sent).status_code == 302
    cast.ticket.refresh_from_db()
    assert (cast.ticket.subject, cast.ticket.status.name, Reply.objects.count()) == ("Refund", "Closed", 1)


def test_agent_cannot_delete_the_reply_of_another_user(cast: Cast) -> None:
    reply = cast.reply(cast.dana, "Mine")
    address = ticket_page(cast.ticket)
    response = save(signed_in(cast.bao), address, **{"replies-0-DELETE": "on", "subject": "Refund"})
    assert "Only the author or an admin can delete this" in response.text
    assert Reply.objects.filter(pk=reply.pk).exists()
    assert Ticket.objects.get(pk=cast.ticket.pk).subject == "Charged twice"
    assert save(signed_in(cast.dana), address, **{"replies-0-DELETE": "on"}).status_code == 302
    assert not Reply.objects.exists()


def test_messages_cannot_be_edited(cast: Cast) -> None:
    cast.reply(cast.bao, "What I said")
    save(signed_in(cast.ada), ticket_page(cast.ticket), **{"replies-0-message": "What I did not say"})
    assert Reply.objects.get().message == "What I said"


def test_bulk_action_reports_each_failed_ticket(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    second = services.open_ticket(by=cast.casey, subject="Second", content="x", office=cast.billing)
    update_ticket = services.update_ticket

    def refuse_one(ticket: Ticket, **how: Any) -> Ticket:
        if ticket.pk == second.pk:
            raise services.Conflict("status", ticket, cast.dana)
        return update_ticket(ticket, **how)

    monkeypatch.setattr(services, "update_ticket", refuse_one)
    response = bulk(signed_in(cast.bao), [cast.ticket, second], status=cast.status("Closed").pk)
    assert f"{second.reference}: Dana Okafor changed this" in response.text
    assert "1 ticket updated." in response.text


def bulk(client: Client, tickets: list[Ticket], action: str = "change_selected", **fields: Any) -> Any:
    sent = {"action": action, "_selected_action": [ticket.pk for ticket in tickets], **fields}
    return client.post("/admin/tickets/ticket/", sent, follow=True)


def test_only_admins_delete_tickets(cast: Cast) -> None:
    address = f"/admin/tickets/ticket/{cast.ticket.pk}/delete/"
    assert signed_in(cast.bao).post(address, {"post": "yes"}).status_code == 403
    assert "delete_selected" not in signed_in(cast.bao).get("/admin/tickets/ticket/").text
    cast.reply(cast.bao, "Secret", internal=True)
    assert "Are you sure" in signed_in(cast.ada).get(address).text
    assert signed_in(cast.ada).post(address, {"post": "yes"}).status_code == 302
    assert not Ticket.objects.exists()


def test_site_settings_are_one_page(cast: Cast) -> None:
    client = signed_in(cast.ada)
    response = client.get("/admin/accounts/desksettings/", follow=True)
    assert response.request["PATH_INFO"] == "/admin/accounts/desksettings/1/change/"
    assert save(client, "/admin/accounts/desksettings/1/change/", staff_names="first").status_code == 302
    assert DeskSettings.current().staff_names == "first"
    assert client.get("/admin/accounts/desksettings/add/").status_code == 403


def test_admin_ends_a_session(cast: Cast) -> None:
    agent, client = Client(), signed_in(cast.ada)
    agent.post("/login/", {"login": "bao@example.com", "password": PASSWORD})
    sign_in = UserSession.objects.get(user=cast.bao)
    address = f"/admin/usersessions/usersession/{sign_in.pk}/delete/"
    assert client.post(address, {"post": "yes"}).status_code == 302
    assert agent.get("/tickets/").status_code == 302


@pytest.mark.parametrize("address", ["/admin/tickets/ticket/", "/admin/tickets/reply/", "/admin/accounts/office/"])
def test_list_query_count_is_independent_of_rows(
    cast: Cast, address: str, django_assert_max_num_queries: Any
) -> None:
    client, asked = signed_in(cast.ada), []
    client.get(address)
    for number in (1, 5):
        for each in range(number):
            ticket = services.open_ticket(by=cast.casey, subject=f"{each}", content="x", office=cast.billing)
            services.add_reply(ticket, by=cast.bao, message="Answer")
            Office.objects.create(name=f"Office {each} of {number}")
        with django_assert_max_num_queries(40) as queries:
            client.get(address)
        asked.append(len(queries))
    assert asked[0] == asked[1]
