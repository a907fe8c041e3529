"""Staff names for customers: one site setting for pages, events, history and avatars."""

import re

import pytest
from django.test import Client

from accounts.models import DeskSettings, User
from accounts.payloads import avatar_url, user_payload
from realtime.broadcasting import history
from realtime.channels import Audience
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tickets import services

MODES = [("full", "Bao Nguyen", "BN"), ("first", "Bao", "B"), ("office", "Billing", "S")]


def show(names: str) -> None:
    DeskSettings.objects.update_or_create(pk=1, defaults={"staff_names": names})


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize(("names", "shown", "letters"), MODES)
def test_customer_sees_the_configured_display_name(cast: Cast, names: str, shown: str, letters: str) -> None:
    show(names)
    start = history.current_cursor()
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.bao})
    cast.reply(cast.bao, "It is on its way")
    customer, staff = signed_in(cast.casey), signed_in(cast.dana)
    answers = {}
    for who, client in (("customer", customer), ("staff", staff)):
        query = {"channel": cast.ticket.channel, "since": start}
        logged = str(client.get("/broadcasting/history", query).json()["events"])
        pages = client.get(cast.ticket.get_absolute_url()).text + client.get("/tickets/").text
        answers[who] = logged + pages + client.get(f"/avatars/{cast.bao.pk}.svg").text
    assert shown in answers["customer"]
    assert f">{letters}<" in answers["customer"]
    assert ("Nguyen" in answers["customer"]) == (names == "full")
    assert ("Bao" in answers["customer"]) == (names != "office")
    assert "Bao Nguyen" in answers["staff"]
    assert ">BN<" in answers["staff"]


@pytest.mark.parametrize(("names", "shown", "letters"), MODES)
async def test_event_uses_the_configured_display_name(live_cast: Cast, names: str, shown: str, letters: str) -> None:
    await do(show, names)
    customer = await subscribe(live_cast.casey, live_cast.ticket.channel)
    staff = await subscribe(live_cast.dana, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "It is on its way")
    assert (await customer.event("ticket.reply.created"))["reply"]["user"]["name"] == shown
    assert (await staff.event("ticket.reply.created"))["reply"]["user"]["name"] == "Bao Nguyen"


@pytest.mark.django_db
def test_timeline_uses_the_current_display_names(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.dana})
    assert "Bao Nguyen" in signed_in(cast.casey).get(cast.ticket.get_absolute_url()).text
    show("office")
    page = signed_in(cast.casey).get(cast.ticket.get_absolute_url()).text
    # Not part of a word: a random token of the page may have the letters.
    assert re.findall(r"\b(Bao|Dana|Ada)\b", page) == []
    assert not [line for line in cast.ticket.timeline.all() if line.public or line.staff]
    assert "assigned the ticket to <b" in signed_in(cast.dana).get(cast.ticket.get_absolute_url()).text


@pytest.mark.django_db
def test_internal_office_is_not_used_as_a_display_name(cast: Cast) -> None:
    show("office")
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.fraud})
    cast.ticket.refresh_from_db()
    services.add_reply(cast.ticket, by=cast.fatima, message="We look into it")
    page = signed_in(cast.casey).get(cast.ticket.get_absolute_url()).text
    assert "Support" in page
    assert not [name for name in ("Fatima", "Fraud") if name in page]


@pytest.mark.django_db
def test_customers_appear_under_their_names(cast: Cast) -> None:
    show("office")
    assert user_payload(cast.casey, Audience.PUBLIC, cast.billing)["name"] == "Casey Rivers"
    assert "Casey Rivers" in signed_in(cast.casey).get(cast.ticket.get_absolute_url()).text


@pytest.mark.django_db
def test_agent_who_opens_a_ticket_keeps_their_own_name(cast: Cast) -> None:
    show("office")
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    services.add_reply(ticket, by=cast.bao, message="The left armrest")
    context = signed_in(cast.bao).get(ticket.get_absolute_url()).context
    reply = context["thread"][0]["reply"]
    assert reply["user"]["name"] == "Bao Nguyen"


@pytest.mark.django_db
def test_site_settings_have_one_row(cast: Cast) -> None:
    show("first")
    show("office")
    assert DeskSettings.objects.count() == 1
    assert DeskSettings.current().staff_names == "office"


@pytest.mark.django_db
@pytest.mark.parametrize(("names", "is_public"), [("full", True), ("first", True), ("office", False)])
def test_handover_between_equal_display_names_is_for_staff_only(cast: Cast, names: str, is_public: bool) -> None:
    show(names)
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    casey, dana = ApiClient(cast.casey), ApiClient(cast.dana)
    path, start = f"tickets/{cast.ticket.uuid}/", history.current_cursor()
    before = casey.get(path).json()
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.emil})
    after = casey.get(path).json()
    assert (before != after, bool(history.read(cast.casey, [cast.casey.channel], start).events)) == (
        is_public,
        is_public,
    )
    assert (after["assigned_to"]["id"] == str(cast.emil.pk)) == (names == "full")
    assert dana.get(path).json()["assigned_to"] == {"id": str(cast.emil.pk), "name": "Emil Sørensen"}


@pytest.mark.django_db
def test_agents_with_one_first_name_are_indistinguishable(cast: Cast) -> None:
    show("first")
    other = User.objects.create_user("bao.tran@example.com", name="Bao Tran", role=User.Role.AGENT)
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    casey, path = ApiClient(cast.casey), f"tickets/{cast.ticket.uuid}/"
    before = casey.get(path).json()
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": other})
    assert casey.get(path).json() == before
    assert before["assigned_to"] == {"id": None, "name": "Bao"}


@pytest.mark.django_db
@pytest.mark.parametrize(("names", "is_found"), [("full", True), ("office", False)])
def test_customer_search_does_not_match_hidden_staff_names(cast: Cast, names: str, is_found: bool) -> None:
    show(names)
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    services.update_ticket(ticket, by=cast.emil, values={"assigned_to": cast.fatima})
    for person, finds in ((cast.bao, is_found), (cast.emil, True)):
        found = ApiClient(person).get(f"tickets/?assignee={cast.fatima.pk}").json()["results"]
        assert bool(found) == finds


@pytest.mark.django_db
def test_history_omits_names_from_before_a_change_of_display_names(cast: Cast) -> None:
    start, casey = history.current_cursor(), signed_in(cast.casey)
    cast.reply(cast.bao, "It is on its way")
    query = {"channel": cast.ticket.channel, "since": start}
    assert "Bao Nguyen" in casey.get("/broadcasting/history", query).text
    show("office")
    answer = casey.get("/broadcasting/history", query).json()
    assert (answer["events"], answer["reset"]) == ([], True)
    cast.reply(cast.bao, "It has left the house")
    since = {**query, "since": answer["cursor"]}
    (event,) = casey.get("/broadcasting/history", since).json()["events"]
    assert event["data"]["reply"]["user"]["name"] == "Billing"
    show("office")
    assert casey.get("/broadcasting/history", since).json()["events"] == [event]


@pytest.mark.django_db
def test_office_made_internal_disappears_for_customers(cast: Cast) -> None:
    start, casey, emil = history.current_cursor(), ApiClient(cast.casey), ApiClient(cast.emil)
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})
    channels = {"channel": cast.ticket.channel, "since": start}

    def read(program: ApiClient) -> str:
        path = f"tickets/{cast.ticket.uuid}/"
        logged = program.client.get("/broadcasting/history", channels, headers=program.headers).text
        return logged + program.get(path).text + program.get(f"{path}timeline/").text

    assert read(casey).count("Orders") >= 3
    cast.orders.is_internal = True
    cast.orders.save()
    assert "Orders" not in read(casey)
    assert "Billing" in read(casey)
    assert "Orders" in read(emil)


@pytest.mark.django_db
def test_renamed_office_leaves_no_older_name_when_made_internal(cast: Cast) -> None:
    casey, emil = ApiClient(cast.casey), ApiClient(cast.emil)
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})
    timeline = f"tickets/{cast.ticket.uuid}/timeline/"
    cast.orders.name = "Purchases"
    cast.orders.save()
    assert "Purchases" in casey.get(timeline).text
    assert "Orders" not in casey.get(timeline).text
    cast.orders.is_internal = True
    cast.orders.save()
    assert not [name for name in ("Orders", "Purchases") if name in casey.get(timeline).text]
    assert "Orders" in emil.get(timeline).text


@pytest.mark.django_db
def test_office_renamed_and_made_internal_at_once_leaves_no_name(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})
    cast.orders.name, cast.orders.is_internal = "Purchases", True
    cast.orders.save()
    answer = ApiClient(cast.casey).get(f"tickets/{cast.ticket.uuid}/timeline/").text
    assert not [name for name in ("Orders", "Purchases") if name in answer]


def read_by_customer(cast: Cast, start: str) -> str:
    """Return everything that a customer reads about the ticket."""
    client, program = signed_in(cast.casey), ApiClient(cast.casey)
    path = f"tickets/{cast.ticket.uuid}/"
    parts = [program.get(each).text for each in (path, f"{path}replies/", f"{path}timeline/", "tickets/?status=all")]
    parts += [client.get(each).text for each in (cast.ticket.get_absolute_url(), "/tickets/", "/")]
    query = {"channel": cast.ticket.channel, "since": start}
    return "".join(parts) + client.get("/broadcasting/history", query).text


@pytest.mark.django_db
@pytest.mark.parametrize(("names", "are_distinct"), [("full", True), ("first", False), ("office", False)])
def test_masked_staff_have_no_id_role_or_avatar_of_their_own(cast: Cast, names: str, are_distinct: bool) -> None:
    show(names)
    start, staff = history.current_cursor(), (cast.ada, cast.bao, cast.dana)
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    for user in staff:
        cast.reply(user, "It is on its way")
    found = read_by_customer(cast, start)
    assert all((str(user.pk) in found) == are_distinct for user in staff)
    assert ('"role":"admin"' in found.replace(" ", "")) == are_distinct
    assert str(cast.casey.pk) in found


@pytest.mark.django_db
def test_masked_avatars_differ_only_by_the_shown_name(cast: Cast) -> None:
    show("office")
    casey = signed_in(cast.casey)
    masked = avatar_url(cast.ada, Audience.PUBLIC)
    assert masked == avatar_url(cast.bao, Audience.PUBLIC)
    assert casey.get(f"/avatars/{cast.ada.pk}.svg").text == casey.get(f"/avatars/{cast.bao.pk}.svg").text
    assert casey.get(masked).text == casey.get(f"/avatars/{cast.bao.pk}.svg").text
    assert avatar_url(cast.ada, Audience.STAFF) != avatar_url(cast.bao, Audience.STAFF)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["/ Nguyen", "?", "% x", "#", "ß", "漢字", "e\u0301", ".", ".."])
@pytest.mark.parametrize("names", ["first", "office"])
def test_avatar_of_a_masked_user_has_an_address_whatever_the_name(cast: Cast, name: str, names: str) -> None:
    show(names)
    cast.bao.name = name
    cast.bao.save()
    cast.reply(cast.bao, "It is on its way")
    casey = signed_in(cast.casey)
    assert "It is on its way" in casey.get(cast.ticket.get_absolute_url()).text
    answer = casey.get(avatar_url(cast.bao, Audience.PUBLIC))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
