"""An erased person is nowhere: no table, file or cache holds their name or addresses."""

import json
import shutil
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.core.cache import caches
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import DeskSettings, User
from jobs.models import Job
from realtime.models import Broadcast
from tests.support.cast import PASSWORD, Cast
from tests.support.personal_data import places
from tests.support.sockets import connect, do, subscribe
from tests.test_admin import signed_in
from tests.tickets.privacy.scenario import ADDRESS, EMAIL, NAME, TEXTS, TRACES, leave_traces, other_rows
from tickets import drafts, policies, services
from tickets.models import Draft, Macro, Reply, SavedReply, SavedView, Ticket, TimelineEntry, attachment_storage
from tickets.privacy.erasure import erase_person

pytestmark = pytest.mark.django_db
NEUTRAL = "Erased person"


@pytest.fixture(autouse=True)
def _empty_storage() -> None:
    shutil.rmtree(attachment_storage().path(""), ignore_errors=True)


@pytest.fixture(autouse=True)
def _database_cache(settings: Any, db: None) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "tikm_cache"}
    }


@pytest.mark.parametrize("names", ["full", "first", "office"])
@pytest.mark.parametrize("delete_tickets", [False, True], ids=["kept", "deleted"])
@pytest.mark.parametrize("role", User.Role.values)
def test_nothing_names_an_erased_person(
    cast: Cast, role: str, delete_tickets: bool, names: str, django_capture_on_commit_callbacks: Any
) -> None:
    DeskSettings(staff_names=names).save()
    person = leave_traces(cast, role)
    caches["default"].set(f"allauth:rl:{ADDRESS}", [EMAIL])
    assert places(*TEXTS) >= TRACES | {"tikm_cache.cache_key", "tikm_cache.value"}
    with django_capture_on_commit_callbacks(execute=True):
        erase_person(person, by=cast.ada, delete_tickets=delete_tickets)
    assert places(*TEXTS) == set()
    assert places("Zoë", "mueller", "muller") == set()  # parts of them; a short one may be in a random session key
    assert other_rows() == ([[{"user_id": "other"}]], ["api/other"], ["other"])
    assert not Job.objects.filter(key__contains=str(person.pk)).exists()
    assert Ticket.objects.filter(creator=person).exists() is not delete_tickets


def test_search_finds_what_others_wrote(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    """The search is no proof by silence: a mention by another person stays, and is found."""
    person = leave_traces(cast, "customer")
    services.add_reply(Ticket.objects.get(creator=person), by=cast.bao, message=f"Dear {NAME}")
    with django_capture_on_commit_callbacks(execute=True):
        erase_person(person, by=cast.ada)
    assert places(*TEXTS) == {"tickets_reply.message", "tickets_reply.rendered", "realtime_broadcast.public",
                              "realtime_broadcast.staff"}  # fmt: skip


def test_kept_messages_are_rendered_without_the_name(cast: Cast) -> None:
    person = leave_traces(cast, "customer")
    erase_person(person, by=cast.ada)
    ticket = Ticket.objects.get(creator=person)
    assert ticket.subject == f"{NEUTRAL} is charged twice"
    assert ticket.content == f"Help\n-- \n{NEUTRAL}, {NEUTRAL}"
    assert NEUTRAL in ticket.html
    page = signed_in(cast.bao).get(ticket.get_absolute_url()).text
    assert NEUTRAL in page
    assert not [text for text in TEXTS if text in page]


def test_others_with_a_similar_name_or_address_keep_theirs(cast: Cast) -> None:
    person = User.objects.create_user("ann@example.com", name="Ann")
    other = User.objects.create_user("joann@example.com", name="Anna Ann-Marie")
    ticket = services.open_ticket(
        by=person, subject="Annual fee of Anna", content="ann@example.com, joann@example.com.", office=cast.billing
    )
    services.add_reply(ticket, by=cast.bao, message="Ann said so")
    erase_person(person, by=cast.ada)
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.content) == ("Annual fee of Anna", f"{NEUTRAL}, joann@example.com.")
    assert Reply.objects.get(ticket=ticket).message == "Ann said so"
    other.refresh_from_db()
    assert (other.name, other.email) == ("Anna Ann-Marie", "joann@example.com")


def test_logged_events_keep_their_shape_and_order(cast: Cast) -> None:
    DeskSettings(staff_names="first").save()
    person = leave_traces(cast, "agent")
    rows = Broadcast.objects.filter(event__startswith="ticket.").order_by("pk")
    before = {row.pk: json.loads(row.staff or row.public) for row in rows}
    erase_person(person, by=cast.ada)
    for row in Broadcast.objects.filter(pk__in=before):
        after = json.loads(row.staff or row.public)
        assert (after.get("seq"), after["event_id"]) == (before[row.pk].get("seq"), before[row.pk]["event_id"])
        assert after["ticket"]["uuid"] == before[row.pk]["ticket"]["uuid"]


def test_log_of_an_ended_session_holds_no_address(cast: Cast) -> None:
    ended = UserSession.objects.create(user=cast.casey, ip=ADDRESS, session_key="x", user_agent="Firefox/130.0 Linux")
    values = {"action": "delete_selected", "_selected_action": [str(ended.pk)], "post": "yes"}
    assert signed_in(cast.ada).post("/admin/usersessions/usersession/", values).status_code == 302
    assert LogEntry.objects.get().object_repr == "Firefox on Linux"
    assert "django_admin_log.object_repr" not in places(ADDRESS)


# What an erased person can no longer do


def test_erased_person_cannot_sign_in_and_the_address_is_free(cast: Cast) -> None:
    erase_person(cast.casey, by=cast.ada)
    client = Client()
    assert client.post("/login/", {"login": "casey@example.com", "password": PASSWORD}).status_code == 200
    form = {"name": "Someone New", "email": "casey@example.com", "password1": "a-long-phrase-7"}
    assert Client().post("/register/", form | {"password2": "a-long-phrase-7"}).status_code == 302
    new = User.objects.get(email="casey@example.com")
    assert new.pk != cast.casey.pk
    assert not policies.visible_tickets(new).exists()


def test_erased_person_stays_erased(cast: Cast) -> None:
    erase_person(cast.bao, by=cast.ada)
    person, client = User.objects.get(pk=cast.bao.pk), signed_in(cast.ada)
    page = f"/admin/accounts/user/{person.pk}"
    assert (person.is_active, person.has_usable_password(), person.offices.count()) == (False, False, 0)
    assert NEUTRAL in client.get("/admin/accounts/user/").text
    assert client.post(f"{page}/change/", {"is_active": "on", "name": "Back"}).status_code == 403
    assert client.get(f"{page}/password/").status_code == 403
    assert "/erase/" not in client.get(f"{page}/change/").text
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=person.pk).update(is_active=True)
    with pytest.raises(ValidationError):
        services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": person})
    with pytest.raises(ValidationError):
        erase_person(person, by=cast.ada)


def test_own_saved_replies_macros_and_views_are_deleted_and_shared_ones_stay(cast: Cast) -> None:
    SavedReply.objects.create(name="Mine", text="Yours, Bao", owner=cast.bao)
    SavedReply.objects.create(name="Ours", text="Yours, Billing", office=cast.billing)
    Macro.objects.create(name="Mine", owner=cast.bao)
    Macro.objects.create(name="Ours", office=cast.billing)
    SavedView.objects.create(name="Mine", owner=cast.bao)
    SavedView.objects.create(name="Ours", office=cast.billing)
    erase_person(cast.bao, by=cast.ada)
    for model in (SavedReply, Macro, SavedView):
        assert [saved.name for saved in model.objects.all()] == ["Ours"]


def test_own_drafts_are_deleted(cast: Cast) -> None:
    for person in (cast.bao, cast.dana):
        drafts.save_draft(drafts.Content("Half a note"), by=person, ticket=cast.ticket, base=0)
    erase_person(cast.bao, by=cast.ada)
    assert [draft.user for draft in Draft.objects.all()] == [cast.dana]


def test_open_tickets_are_handed_over(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    assert erase_person(cast.bao, by=cast.ada, to=cast.dana).handed_over == 1
    assert Ticket.objects.get(pk=cast.ticket.pk).assigned_to == cast.dana
    entry = TimelineEntry.objects.filter(ticket=cast.ticket).last()
    assert (entry.actor, entry.from_user, entry.to_user) == (cast.ada, cast.bao, cast.dana)


@pytest.mark.parametrize("by", ["bao", "casey", "hiro"])
def test_only_admins_erase(cast: Cast, by: str) -> None:
    with pytest.raises(PermissionDenied):
        erase_person(cast.greta, by=getattr(cast, by))
    assert User.objects.get(pk=cast.greta.pk).name == "Greta Lindqvist"


def test_an_admin_stays(cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        erase_person(cast.ada, by=cast.ada)
    with pytest.raises(ValidationError):
        erase_person(cast.ada)
    second = User.objects.create_superuser("second@example.com", name="Second")
    erase_person(cast.ada, by=second)
    assert User.objects.get(pk=cast.ada.pk).erased_at is not None


def test_failure_erases_nothing(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    person = leave_traces(cast, "customer")
    before = places(*TEXTS)
    monkeypatch.setattr("accounts.privacy.erasure._erase_cache", lambda identity: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        erase_person(person, by=cast.ada, delete_tickets=True)
    assert places(*TEXTS) == before


def test_the_name_is_shown_in_the_readers_language(cast: Cast) -> None:
    erase_person(cast.casey, by=cast.ada)
    client = signed_in(cast.bao)
    assert "Gelöschte Person" in client.get(cast.ticket.get_absolute_url(), headers={"accept-language": "de"}).text
    assert NEUTRAL in client.get(cast.ticket.get_absolute_url()).text


# Command and pages


def test_command_erases(cast: Cast, capsys: Any) -> None:
    call_command("erase_person", "casey@example.com", delete_tickets=True, interactive=False)
    assert capsys.readouterr().out == "Erased. Tickets deleted: 1, kept: 0, handed over: 0.\n"
    for email in ("casey@example.com", "ada@example.com"):
        with pytest.raises(CommandError):
            call_command("erase_person", email, interactive=False)


def test_admin_confirms_with_the_address(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    services.open_ticket(by=cast.bao, subject="Chair", content="x", office=cast.orders)
    client, page = signed_in(cast.ada), f"/admin/accounts/user/{cast.bao.pk}"
    chosen = {"action": "erase_selected", "_selected_action": [str(cast.bao.pk)]}
    assert client.post("/admin/accounts/user/", chosen)["Location"] == f"{page}/erase/"
    assert f"{page}/erase/" in client.get(f"{page}/change/").text
    text = client.get(f"{page}/erase/").text
    assert "They opened 1 ticket:" in text
    assert "1 open ticket is assigned to them." in text
    values = {"tickets": "delete", "assign_to": str(cast.dana.pk), "confirmation": "dana@example.com"}
    refused = client.post(f"{page}/erase/", values)
    assert refused.status_code == 422
    assert "This is not the email address of this person." in refused.text
    assert User.objects.get(pk=cast.bao.pk).erased_at is None
    assert client.post(f"{page}/erase/", values | {"confirmation": "Bao@example.com "}).status_code == 302
    done = client.get("/admin/accounts/user/").text
    assert "The person was erased. 1 ticket was deleted. 1 ticket was handed over." in done
    assert Ticket.objects.get(pk=cast.ticket.pk).assigned_to == cast.dana
    assert LogEntry.objects.filter(user=cast.ada, change_message="Person erased.").exists()
    assert places("Bao Nguyen", "bao@example.com") == set()


def test_pages_refuse_who_may_not_erase(cast: Cast) -> None:
    page = f"/admin/accounts/user/{cast.dana.pk}/erase/"
    assert signed_in(cast.bao).get(page).status_code == 403
    assert signed_in(cast.casey).get(page).status_code == 302
    own = f"/admin/accounts/user/{cast.ada.pk}"
    client = signed_in(cast.ada)
    assert "/erase/" not in client.get(f"{own}/change/").text
    assert client.post(f"{own}/erase/", {"confirmation": "ada@example.com"}).status_code == 422
    assert User.objects.get(pk=cast.ada.pk).is_active


@pytest.mark.parametrize("part", ["erase", "export"])
def test_admin_enters_their_password_first(cast: Cast, part: str) -> None:
    client = Client()
    client.force_login(cast.ada)
    response = client.post(f"/admin/accounts/user/{cast.casey.pk}/{part}/", {"confirmation": "casey@example.com"})
    assert response["Location"].startswith("/reauthenticate/")
    assert User.objects.get(pk=cast.casey.pk).erased_at is None


# Live


async def test_pages_receive_the_new_name_and_sockets_of_the_person_end(live_cast: Cast) -> None:
    cast = live_cast
    await do(lambda: services.add_reply(cast.ticket, by=cast.bao, message="Answer"))
    customer, agent = (
        await subscribe(cast.casey, cast.ticket.channel),
        await subscribe(cast.dana, cast.billing.channel),
    )
    own = await connect(cast.bao)
    await do(lambda: erase_person(cast.bao, by=cast.ada))
    for socket in (customer, agent):
        event = await socket.event("ticket.people.updated")
        assert event["ticket"]["uuid"] == str(cast.ticket.uuid)
        assert "Bao Nguyen" not in json.dumps(socket.received[-1])
        await socket.close()
    while (frame := await own.frame())["event"] != "closed":
        pass
    assert frame["code"] == 4009


async def test_customers_do_not_learn_who_only_wrote_notes(live_cast: Cast) -> None:
    cast = live_cast
    await do(lambda: services.add_reply(cast.ticket, by=cast.bao, message="Secret", internal=True))
    customer, agent = (
        await subscribe(cast.casey, cast.ticket.channel),
        await subscribe(cast.dana, cast.billing.channel),
    )
    await do(lambda: erase_person(cast.bao, by=cast.ada))
    assert (await agent.event("ticket.people.updated"))["audience"] == "staff"
    assert await customer.receives_nothing(cast.ticket.channel)
    for socket in (customer, agent):
        await socket.close()


def test_many_tickets_are_announced_in_batches(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr("tickets.privacy.announcement.BATCH_SIZE", 2)
    for number in range(5):
        services.open_ticket(by=cast.casey, subject=f"Ticket {number}", content="x", office=cast.billing)
    erase_person(cast.casey, by=cast.ada)
    assert Broadcast.objects.filter(event="ticket.people.updated").count() == 6
    for ticket in Ticket.objects.filter(creator=cast.casey):
        event = Broadcast.objects.filter(event="ticket.people.updated", guard=ticket.channel).get()
        assert json.loads(event.public)["seq"] == ticket.public_seq
        assert json.loads(event.public)["ticket"]["creator"]["name"] == NEUTRAL
