"""Snooze: when tickets leave the views of open work and are back, who is notified; customers see none of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from jobs.models import Job
from realtime.broadcasting import history
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.support.jobs import run_due_jobs
from tests.support.sockets import do, subscribe
from tickets import list_queries, services
from tickets.actors import Cause, System
from tickets.counts import counts
from tickets.list_queries import TicketFilter
from tickets.models import Notification, Status, Ticket, TimelineEntry
from tickets.snooze import times
from tickets.snooze.services import end_due_snooze

pytestmark = pytest.mark.django_db
SCHEDULE = System(Cause.SCHEDULE)
VIEWS = ("active", "waiting", "snoozed")


def soon(**delay: float) -> datetime:
    return timezone.now().replace(microsecond=0) + timedelta(**(delay or {"hours": 3}))


def snooze(ticket: Ticket, by: User, until: datetime | None = None) -> Ticket:
    return services.update_ticket(ticket, by=by, values={"snoozed_until": until or soon()})


def now(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def views_with(ticket: Ticket, user: User) -> list[str]:
    """Return the views that list the ticket, and check that the numbers beside them agree."""
    listed = [view for view in VIEWS if ticket in list_queries.filter_tickets(user, TicketFilter(views=(view,)))]
    numbers = counts(user, list(Status.objects.all()))
    assert listed == [view for view in VIEWS if numbers.get(view)]
    return listed


def let_it_end(ticket: Ticket) -> None:
    """Let the time of the snooze come, without the job that ends it."""
    past = timezone.now() - timedelta(seconds=1)
    Ticket.objects.filter(pk=ticket.pk).update(snoozed_until=past)
    Job.objects.filter(task="tickets.end_snooze").update(run_at=past)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def kinds(user: User) -> list[str]:
    """Return what a person was notified of since the ticket was opened."""
    found = Notification.objects.filter(user=user).exclude(kind="new_ticket")
    return list(found.values_list("kind", flat=True))


def test_snoozed_ticket_is_in_a_view_of_its_own(cast: Cast) -> None:
    assert views_with(cast.ticket, cast.bao) == ["active", "waiting"]
    snooze(cast.ticket, cast.bao)
    assert views_with(cast.ticket, cast.bao) == views_with(cast.ticket, cast.ada) == ["snoozed"]
    numbers = counts(cast.bao, list(Status.objects.all()))
    assert (numbers["all"], numbers["unassigned"], numbers[f"office-{cast.billing.pk}"]) == (1, 0, 0)
    snooze(cast.ticket, cast.bao)
    services.update_ticket(cast.ticket, by=cast.dana, values={"snoozed_until": None})
    assert views_with(cast.ticket, cast.bao) == ["active", "waiting"]


def test_customer_still_has_the_ticket_among_active_ones(cast: Cast) -> None:
    chair = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    snooze(chair, cast.emil)
    snooze(cast.ticket, cast.dana)
    assert views_with(chair, cast.emil) == ["snoozed"]
    assert chair in list_queries.filter_tickets(cast.bao, TicketFilter())  # an agent who asked
    assert chair not in list_queries.filter_tickets(cast.bao, TicketFilter(views=("snoozed",)))
    assert views_with(cast.ticket, cast.casey) == ["active"]


def test_ticket_is_back_at_its_time_with_and_without_a_worker(cast: Cast) -> None:
    snooze(cast.ticket, cast.bao)
    run_due_jobs()
    assert views_with(cast.ticket, cast.bao) == ["snoozed"]
    let_it_end(cast.ticket)
    assert views_with(cast.ticket, cast.bao) == ["active", "waiting"]
    assert ApiClient(cast.bao).get(f"tickets/{cast.ticket.uuid}/").json()["snoozed_until"] is None
    run_due_jobs()
    assert now(cast.ticket).snoozed_until is None
    last = cast.ticket.timeline.latest("pk")
    assert (last.action, last.by, last.staff["to"]) == ("snoozed_until", SCHEDULE, None)


def test_assignee_and_who_snoozed_are_notified_once(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.dana})
    snooze(cast.ticket, cast.bao)
    let_it_end(cast.ticket)
    for _worker in range(2):
        run_due_jobs()
    assert (kinds(cast.bao), kinds(cast.dana)) == (["returned"], ["returned", "assigned"])
    assert kinds(cast.emil) == kinds(cast.ada) == kinds(cast.casey) == []
    latest = signed_in(cast.bao).get("/notifications/latest/").json()["notifications"][0]
    assert (latest["kind"], latest["by"]) == ("returned", None)


def test_longer_snooze_outlasts_the_job_of_the_first(cast: Cast) -> None:
    snooze(cast.ticket, cast.bao, soon(hours=1))
    snooze(cast.ticket, cast.bao, soon(hours=5))
    Job.objects.filter(task="tickets.end_snooze").update(run_at=timezone.now())
    run_due_jobs()
    assert now(cast.ticket).snooze_end
    assert not end_due_snooze(cast.ticket, by=SCHEDULE)


def test_answer_of_the_customer_ends_the_snooze(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.dana})
    snooze(cast.ticket, cast.bao)
    for internal in (True, False):
        cast.reply(cast.dana, "Of staff", internal=internal)
    assert now(cast.ticket).snooze_end
    cast.reply(cast.casey, "Any news?")
    assert now(cast.ticket).snoozed_until is None
    assert kinds(cast.bao) == ["customer_reply"]
    cast.reply(cast.casey, "Hello?")
    assert kinds(cast.bao) == ["customer_reply"]  # it is Dana's again


def test_closing_ends_the_snooze_and_a_closed_ticket_has_none(cast: Cast) -> None:
    snooze(cast.ticket, cast.bao)
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    assert now(cast.ticket).snoozed_until is None
    with pytest.raises(ValidationError, match="closed"):
        snooze(cast.ticket, cast.bao)


@pytest.mark.parametrize("days", [-1, 367])
def test_time_has_to_be_within_the_next_year(cast: Cast, days: int) -> None:
    with pytest.raises(ValidationError, match="next year"):
        snooze(cast.ticket, cast.bao, soon(days=days))
    assert not Job.objects.filter(task="tickets.end_snooze").exists()


@pytest.mark.parametrize("name", ["casey", "greta", "fatima"])
def test_others_than_staff_of_the_ticket_do_not_snooze(cast: Cast, name: str) -> None:
    person = getattr(cast, name)
    with pytest.raises(PermissionDenied):
        snooze(cast.ticket, person)
    with pytest.raises(PermissionDenied):
        end_due_snooze(cast.ticket, by=System(Cause.MAIL))
    answer = signed_in(person).post(f"{cast.ticket.get_absolute_url()}snooze/", {"name": "later"})
    assert answer.status_code == (403 if name == "casey" else 404)
    assert not now(cast.ticket).snooze_end


def test_snooze_changes_nothing_that_the_customer_sees(cast: Cast) -> None:
    before, address = now(cast.ticket), cast.ticket.get_absolute_url()
    snooze(cast.ticket, cast.bao)
    after = now(cast.ticket)
    assert (after.public_seq, after.public_updated_at) == (before.public_seq, before.public_updated_at)
    line = cast.ticket.timeline.get(action=TimelineEntry.Action.SNOOZED_UNTIL)
    assert (line.public, line.staff["from"]) == (None, None)
    assert "snoozed the ticket until" in signed_in(cast.bao).get(address).text
    for page in (address, "/tickets/", "/tickets/?status=all", "/"):
        assert "nooze" not in signed_in(cast.casey).get(page).text
    assert "snoozed_until" not in ApiClient(cast.casey).get(f"tickets/{cast.ticket.uuid}/").json()
    assert ApiClient(cast.casey).get("tickets/?status=snoozed").status_code == 400


def test_snooze_is_live_for_staff_only(cast: Cast) -> None:
    start = history.current_cursor()
    until = soon()
    snooze(cast.ticket, cast.bao, until)
    (event,) = history.read(cast.dana, [cast.billing.channel], start).events
    shown = event["data"]["ticket"]["snoozed_until"]
    assert (event["data"]["changes"]["snoozed_until"], datetime.fromisoformat(shown)) == (
        {"from": None, "to": shown},
        until,
    )
    assert history.read(cast.casey, [cast.ticket.channel, cast.casey.channel], start).events == []


async def test_return_reaches_open_pages(live_cast: Cast) -> None:
    await do(lambda: snooze(live_cast.ticket, live_cast.bao))
    agent = await subscribe(live_cast.dana, live_cast.billing.channel)
    await do(lambda: let_it_end(live_cast.ticket))
    await do(run_due_jobs)
    event = await agent.event("ticket.updated")
    assert (event["ticket"]["snoozed_until"], event["updated_by"]["name"]) == (None, "System (schedule)")


def test_page_snoozes_by_name_and_by_time_without_scripts(cast: Cast) -> None:
    User.objects.filter(pk=cast.bao.pk).update(time_zone="Asia/Tokyo")
    client, address = signed_in(cast.bao), cast.ticket.get_absolute_url()
    day = timezone.now().date() + timedelta(days=3)
    assert client.post(f"{address}snooze/", {"snoozed_until": f"{day}T14:30"}).status_code == 302
    until = now(cast.ticket).snoozed_until
    assert until == datetime(day.year, day.month, day.day, 14, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    for page in (address, "/tickets/?status=snoozed"):
        text = " ".join(client.get(page).text.split())
        assert "Snoozed until" in text
        assert "14:30" in text
    assert client.post(f"{address}snooze/", {"name": "end"}).status_code == 302
    assert now(cast.ticket).snoozed_until is None
    for sent, error in (({}, "Choose a date and a time."), ({"snoozed_until": "2020-01-01T09:00"}, "next year")):
        refused = client.post(f"{address}snooze/", sent)
        assert (refused.status_code, error in refused.text) == (422, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [(times.LATER, "2027-03-28 03:30"), (times.TOMORROW, "2027-03-28 09:00"), (times.NEXT_WEEK, "2027-03-29 09:00")],
)
def test_named_times_are_of_the_persons_day(monkeypatch: pytest.MonkeyPatch, name: str, expected: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")  # clocks change that night
    saturday = datetime(2027, 3, 27, 23, 30, 12, tzinfo=berlin)
    monkeypatch.setattr(timezone, "now", lambda: saturday.astimezone(UTC))
    monkeypatch.setattr(timezone, "localtime", lambda: saturday)
    assert times.time_named(name) == datetime.fromisoformat(expected).replace(tzinfo=berlin)


def test_bulk_change_snoozes_and_reports_what_it_could_not(cast: Cast) -> None:
    late = services.open_ticket(by=cast.casey, subject="Late", content="Where?", office=cast.billing)
    services.update_ticket(late, by=cast.bao, values={"status": cast.status("Closed")})
    data = {"tickets": [str(cast.ticket.uuid), str(late.uuid)], "snooze": "tomorrow"}
    answer = signed_in(cast.bao).post("/tickets/bulk/", data, headers={"accept": "application/json"}).json()
    assert (answer["changed"], answer["refused"][0]["reference"]) == (1, late.reference)
    assert now(cast.ticket).snooze_end
    signed_in(cast.bao).post("/tickets/bulk/", data | {"snooze": "end"})
    assert not now(cast.ticket).snooze_end


def test_list_has_those_first_that_are_back_first(cast: Cast) -> None:
    late = services.open_ticket(by=cast.casey, subject="Late", content="Where?", office=cast.billing)
    snooze(late, cast.bao, soon(hours=2))
    snooze(cast.ticket, cast.bao, soon(hours=1))
    text = signed_in(cast.bao).get("/tickets/?status=snoozed").text
    assert text.index(f"ticket-{cast.ticket.uuid}") < text.index(f"ticket-{late.uuid}")
    page = f"{cast.ticket.get_absolute_url()}?list=status%3Dsnoozed"
    assert f"{late.get_absolute_url()}?list" in signed_in(cast.bao).get(page).text
    services.update_ticket(cast.ticket, by=cast.bao, values={"snoozed_until": None})
    assert signed_in(cast.bao).get(page).status_code == 200


def test_api_snoozes_and_finds(cast: Cast) -> None:
    program, path = ApiClient(cast.bao), f"tickets/{cast.ticket.uuid}/"
    until = soon().isoformat()
    assert datetime.fromisoformat(program.patch(path, {"snoozed_until": until}).json()["snoozed_until"]) == (
        datetime.fromisoformat(until)
    )
    assert [row["uuid"] for row in program.get("tickets/?status=snoozed").json()["results"]] == [
        str(cast.ticket.uuid)
    ]
    assert program.patch(path, {"snoozed_until": None}).json()["snoozed_until"] is None
    for wrong in ("tomorrow", "2020-01-01T09:00:00Z"):
        assert program.patch(path, {"snoozed_until": wrong}).status_code == 422
