"""Since when a ticket is closed, on its own row: as its status says, whatever changes either."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.support.cast import Cast
from tests.support.jobs import run_due_jobs
from tickets import closing, services
from tickets.configuration import choices, replacements
from tickets.list_queries import TicketFilter, filter_tickets
from tickets.models import Status, Ticket, TimelineEntry

pytestmark = pytest.mark.django_db
EARLIER = timezone.now() - timedelta(days=3)


def closed_at(ticket: Ticket) -> object:
    """Return since when a ticket is closed, which must be as its status says."""
    row = Ticket.objects.select_related("status").get(pk=ticket.pk)
    assert (row.closed_at is not None) == row.status.is_closed
    return row.closed_at


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def set_status(cast: Cast, name: str) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status(name)})


def listed(cast: Cast, view: str) -> list[str]:
    return [ticket.subject for ticket in filter_tickets(cast.bao, TicketFilter(views=(view,)))]


def test_closing_time_follows_the_status(cast: Cast) -> None:
    before = timezone.now()
    assert closed_at(cast.ticket) is None
    set_status(cast, "Closed")
    first = closed_at(cast.ticket)
    assert before < first < timezone.now()
    assert (listed(cast, "active"), listed(cast, "closed")) == ([], ["Charged twice"])
    Status.objects.create(name="Solved", color="#123456", is_closed=True)
    set_status(cast, "Solved")
    assert closed_at(cast.ticket) == first
    set_status(cast, "On Hold")
    assert closed_at(cast.ticket) is None
    assert (listed(cast, "active"), listed(cast, "closed")) == (["Charged twice"], [])


def test_reply_closes_and_the_customers_answer_reopens(cast: Cast) -> None:
    services.add_reply(cast.ticket, by=cast.bao, message="Done", status=cast.status("Closed"))
    assert closed_at(cast.ticket)
    cast.reply(cast.casey, "Not quite")
    assert closed_at(cast.ticket) is None


def test_many_tickets_are_closed_at_once(cast: Cast) -> None:
    data = {"tickets": [str(cast.ticket.uuid)], "status": cast.status("Closed").pk}
    assert signed_in(cast.bao).post("/tickets/bulk/", data).status_code == 302
    assert closed_at(cast.ticket)


def test_tickets_of_a_deleted_status_close_with_its_replacement(cast: Cast) -> None:
    set_status(cast, "On Hold")
    replacements.delete_value(cast.status("On Hold"), by=cast.ada, replacement=cast.status("Closed"))
    run_due_jobs()
    assert closed_at(cast.ticket)


def test_tickets_follow_what_counts_as_closed(cast: Cast) -> None:
    set_status(cast, "In Progress")
    TimelineEntry.objects.filter(action="status").update(created_at=EARLIER)
    other = services.open_ticket(by=cast.casey, subject="Other", content="x", office=cast.billing)
    progress = cast.status("In Progress")
    progress.is_closed = True
    choices.save_choice(progress, by=cast.ada, is_default=False)
    assert closed_at(cast.ticket) == EARLIER
    assert closed_at(other) is None
    page = f"/admin/tickets/status/{progress.pk}/change/"
    signed_in(cast.ada).post(page, {"name": "In Progress", "color": "#123456", "order": 2})
    assert closed_at(cast.ticket) is None


def test_changes_by_processes_of_an_older_release_are_corrected(cast: Cast) -> None:
    other = services.open_ticket(by=cast.casey, subject="Other", content="x", office=cast.billing)
    set_status(cast, "Closed")
    Ticket.objects.filter(pk=cast.ticket.pk).update(status=cast.status("Open"))
    Ticket.objects.filter(pk=other.pk).update(status=cast.status("Closed"))
    call_command("settle_closed_tickets")
    assert closed_at(cast.ticket) is None
    assert closed_at(other) == Ticket.objects.get(pk=other.pk).updated_at


def test_migration_reads_timelines_and_messages(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    migration = import_module("tickets.migrations.0033_closing_times")
    for module in (migration, closing):
        monkeypatch.setattr(module, "BATCH_SIZE", 1)
    Status.objects.create(name="Solved", color="#123456", is_closed=True)
    services.open_ticket(by=cast.casey, subject="Open", content="x", office=cast.billing)
    services.open_ticket(by=cast.casey, subject="Silent", content="x", office=cast.billing)
    cast.reply(cast.bao, "Note", internal=True)
    reply = cast.reply(cast.bao, "Which one?")
    for name in ("Closed", "Open", "Closed", "Solved"):
        set_status(cast, name)
    expected = list(Ticket.objects.order_by("pk").values("closed_at", "first_replied_at"))
    times = list(TimelineEntry.objects.filter(action="status").values_list("created_at", flat=True))
    Ticket.objects.update(closed_at=None, first_replied_at=None)
    migration.set_times(apps, SimpleNamespace(connection=connection))
    found = list(Ticket.objects.order_by("pk").values("closed_at", "first_replied_at"))
    assert found[1:] == expected[1:] == 2 * [{"closed_at": None, "first_replied_at": None}]
    assert found[0] == {"closed_at": times[2], "first_replied_at": reply.created_at}
    assert abs(times[2] - expected[0]["closed_at"]) < timedelta(minutes=1)


def first_replied_at(cast: Cast) -> object:
    return Ticket.objects.get(pk=cast.ticket.pk).first_replied_at


def test_first_reply_is_the_first_public_one_of_staff(cast: Cast) -> None:
    note = cast.reply(cast.bao, "Note", internal=True)
    cast.reply(cast.casey, "Hello?")
    assert first_replied_at(cast) is None
    first = cast.reply(cast.bao, "Which one?")
    second = cast.reply(cast.dana, "Or both?")
    assert first_replied_at(cast) == first.created_at
    services.delete_reply(first, by=cast.ada)
    assert first_replied_at(cast) == second.created_at
    services.change_visibility(second, by=cast.dana, internal=True)
    assert first_replied_at(cast) is None
    published = services.change_visibility(note, by=cast.bao, internal=False)
    assert first_replied_at(cast) == published.created_at


def test_first_reply_is_not_the_creators_own(cast: Cast) -> None:
    ticket = services.open_ticket(by=cast.bao, subject="Mine", content="x", office=cast.billing)
    services.add_reply(ticket, by=cast.bao, message="Again")
    assert Ticket.objects.get(pk=ticket.pk).first_replied_at is None
    reply = services.add_reply(ticket, by=cast.dana, message="Here")
    assert Ticket.objects.get(pk=ticket.pk).first_replied_at == reply.created_at
