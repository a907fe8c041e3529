"""Every way to write x every event: the right people hear the right things, once, and nobody else hears anything."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.support.api_client import Program
from tests.support.cast import Cast
from tests.support.sockets import Listener, do, listen
from tests.test_admin import bulk, filled_in, ticket_page, with_reply
from tickets import services
from tickets.models import Reply, Ticket

CREATED, UPDATED, STATUS = "ticket.created", "ticket.updated", "ticket.status.changed"
REPLY, DELETED, WITHDRAWN = "ticket.reply.created", "ticket.reply.deleted", "ticket.withdrawn"
TURNED = "ticket.reply.updated"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def done(response: Any) -> None:
    """Check that a form was accepted: a page that shows it again has changed nothing."""
    assert response.status_code in (200, 201, 204, 302), response.status_code
    assert "errorlist" not in response.content.decode(errors="replace")


def post(by: str, address: str, **fields: Any) -> Callable[[Cast], None]:
    return lambda cast: done(signed_in(getattr(cast, by)).post(address.format(cast.ticket.uuid), told(cast, fields)))


def told(cast: Cast, fields: dict[str, Any]) -> dict[str, Any]:
    """Replace what only the database knows: a callable asks the cast."""
    return {name: value(cast) if callable(value) else value for name, value in fields.items()}


def page(by: str, **fields: Any) -> Callable[[Cast], None]:
    return post(by, "/tickets/{}/change/", **fields)


def sends(by: str, method: str, path: str, **fields: Any) -> Callable[[Cast], None]:
    """Ask the API as a program of somebody's."""

    def write(cast: Cast) -> None:
        program = Program(getattr(cast, by))
        done(program.ask(method, path.format(cast.ticket.uuid), told(cast, fields), If_Match="*"))

    return write


def many(**fields: Any) -> Callable[[Cast], None]:
    return post("bao", "/tickets/bulk/", tickets=lambda cast: [str(cast.ticket.uuid)], **fields)


def form(**fields: Any) -> Callable[[Cast], None]:
    """Change fields, or add or delete a reply, in the admin's form of the ticket."""

    def write(cast: Cast) -> None:
        client, address = signed_in(cast.bao), ticket_page(cast.ticket)
        done(client.post(address, filled_in(client, address, **told(cast, fields))))

    return write


def selected(**fields: Any) -> Callable[[Cast], None]:
    return lambda cast: done(bulk(signed_in(cast.bao), [cast.ticket], **told(cast, fields)))


def by_verb(verb: Callable[[Cast], object]) -> Callable[[Cast], None]:
    def write(cast: Cast) -> None:
        verb(cast)

    return write


def delete_in_admin(cast: Cast) -> None:
    done(signed_in(cast.ada).post(f"/admin/tickets/ticket/{cast.ticket.pk}/delete/", {"post": "yes"}))


def delete_selected_in_admin(cast: Cast) -> None:
    done(bulk(signed_in(cast.ada), [cast.ticket], action="delete_selected", post="yes"))


def delete_note(cast: Cast) -> None:
    services.delete_reply(Reply.objects.get(is_internal=True), by=cast.bao)


def the_reply(cast: Cast) -> str:
    return str(Reply.objects.get().pk)


def turned_in_page(visibility: str) -> Callable[[Cast], None]:
    return post("bao", "/tickets/{}/visibility/", reply=the_reply, visibility=visibility)


def turned_by_api(internal: bool) -> Callable[[Cast], None]:
    def write(cast: Cast) -> None:
        sends("bao", "PATCH", f"tickets/{{}}/replies/{the_reply(cast)}/", is_internal=internal)(cast)

    return write


def turned(internal: bool) -> Callable[[Cast], None]:
    return lambda cast: services.change_visibility(Reply.objects.get(), by=cast.bao, internal=internal) and None


def closed(cast: Cast) -> int:
    return cast.status("Closed").pk


def high(cast: Cast) -> int:
    return cast.priority("High").pk


def orders(cast: Cast) -> int:
    return cast.orders.pk


def dana(cast: Cast) -> str:
    return str(cast.dana.pk)


def open_on_the_page(cast: Cast) -> None:
    words = {"subject": "Late", "content": "x", "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    done(signed_in(cast.casey).post("/tickets/new/", words))


def open_in_the_admin(cast: Cast) -> None:
    words = {"subject": "Late", "content": "x", "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    done(signed_in(cast.ada).post("/admin/tickets/ticket/add/", words))


@dataclass(frozen=True)
class Row:
    """A write, and what each one hears, in order: on the ticket as its customer, agent and admin, on a customer's own
    channel, in the ticket's office, and in Orders, to which it may be moved.

    Greta (another customer) and Fatima (another office) never hear anything.
    """

    write: Callable[[Cast], None]
    customer: tuple[str, ...] = ()
    casey: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()
    office: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    outsider: tuple[str, ...] = ()  # on her own channel: Fatima, of another office, to whom it may be assigned
    before: Callable[[Cast], object] = field(default=lambda cast: None)
    losers: tuple[str, ...] = ()  # whose subscription of the ticket ends


def all_hear(write: Callable[[Cast], None], *events: str) -> Row:
    return Row(write, customer=events, casey=events, staff=events, office=events, admin=events)


def staff_hear(write: Callable[[Cast], None], *events: str, before: Any = lambda cast: None) -> Row:
    return Row(write, staff=events, office=events, admin=events, before=before)


def appears(write: Callable[[Cast], None]) -> Row:
    """A note is made public: to its customer it is a new reply."""
    return replace(staff_hear(write, TURNED, before=note), customer=(REPLY,), casey=(REPLY,))


def vanishes(write: Callable[[Cast], None]) -> Row:
    """A reply is made internal: to its customer it is deleted."""
    return replace(staff_hear(write, TURNED, before=answer), customer=(DELETED,), casey=(DELETED,))


def moves(write: Callable[[Cast], None]) -> Row:
    """Billing hears that the ticket is gone, and who worked on it there is refused; the others hear where it is."""
    others = dict.fromkeys(("customer", "casey", "admin", "orders"), (UPDATED,))
    return Row(write, office=(WITHDRAWN,), losers=("staff",), **others)


def goes(write: Callable[[Cast], None]) -> Row:
    """A deleted ticket: the subscriptions end, and everybody hears that it is gone and nothing else."""
    return Row(write, casey=(WITHDRAWN,), office=(WITHDRAWN,), losers=("customer", "staff", "admin"))


def leaves_an_outsider(write: Callable[[Cast], None]) -> Row:
    """Taken off somebody who works on it through nothing else: she hears that it is gone, and nothing more."""
    return replace(all_hear(write, UPDATED), before=assign_fatima, outsider=(WITHDRAWN,))


def assign_fatima(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.fatima})


def close(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})


def note(cast: Cast) -> None:
    cast.reply(cast.bao, "A note", internal=True)


def answer(cast: Cast) -> None:
    cast.reply(cast.bao, "An answer")


ROWS = {
    # The pages
    "page: open": Row(open_on_the_page, casey=(CREATED,), office=(CREATED,)),
    "page: reply": all_hear(post("casey", "/tickets/{}/replies/", message="Hello"), REPLY),
    "page: note": staff_hear(post("bao", "/tickets/{}/replies/", message="Hello", internal="on"), REPLY),
    "page: reply to a closed one": replace(
        all_hear(post("casey", "/tickets/{}/replies/", message="Hello"), REPLY, STATUS), before=close
    ),
    "page: make a note public": appears(turned_in_page("public")),
    "page: make a reply internal": vanishes(turned_in_page("internal")),
    "page: make a note internal": staff_hear(turned_in_page("internal"), before=note),
    "page: unassign": leaves_an_outsider(page("bao", assigned_to="")),
    "page: status": all_hear(page("bao", status=closed), STATUS),
    "page: the same status": all_hear(page("bao", status=lambda cast: cast.ticket.status_id)),
    "page: priority": all_hear(page("bao", priority=high), UPDATED),
    "page: subject": all_hear(page("bao", subject="Refund"), UPDATED),
    "page: assignee": all_hear(page("bao", assigned_to=dana), UPDATED),
    "page: office": moves(page("bao", office=orders)),
    # The API
    "api: open": Row(
        sends("casey", "POST", "tickets/", subject="Late", content="x", office="Billing"),
        casey=(CREATED,),
        office=(CREATED,),
    ),
    "api: reply": all_hear(sends("casey", "POST", "tickets/{}/replies/", message="Hello"), REPLY),
    "api: note": staff_hear(sends("bao", "POST", "tickets/{}/replies/", message="Hello", is_internal=True), REPLY),
    "api: make a note public": appears(turned_by_api(internal=False)),
    "api: make a reply internal": vanishes(turned_by_api(internal=True)),
    "api: make a reply public": replace(all_hear(turned_by_api(internal=False)), before=answer),
    "api: status": all_hear(sends("bao", "PATCH", "tickets/{}/", status="Closed"), STATUS),
    "api: the same status": all_hear(sends("bao", "PATCH", "tickets/{}/", status="Open")),
    "api: priority": all_hear(sends("bao", "PATCH", "tickets/{}/", priority="High"), UPDATED),
    "api: subject": all_hear(sends("bao", "PATCH", "tickets/{}/", subject="Refund"), UPDATED),
    "api: assignee": all_hear(sends("bao", "PATCH", "tickets/{}/", assigned_to=dana), UPDATED),
    "api: two fields": all_hear(
        sends("bao", "PATCH", "tickets/{}/", subject="Refund", status="Closed"), STATUS, UPDATED
    ),
    "api: office": moves(sends("bao", "PATCH", "tickets/{}/", office="Orders")),
    # The list
    "list: status": all_hear(many(status=closed), STATUS),
    "list: priority": all_hear(many(priority=high), UPDATED),
    "list: assignee": all_hear(many(assigned_to=dana), UPDATED),
    "list: unassign": leaves_an_outsider(many(assigned_to="none")),
    "list: office": moves(many(office=orders)),
    # The admin's form
    "admin form: open": Row(open_in_the_admin, office=(CREATED,)),
    "admin form: status": all_hear(form(status=closed), STATUS),
    "admin form: priority": all_hear(form(priority=high), UPDATED),
    "admin form: subject": all_hear(form(subject="Refund"), UPDATED),
    "admin form: assignee": all_hear(form(assigned_to=dana), UPDATED),
    "admin form: unassign": leaves_an_outsider(form(assigned_to="")),
    "admin form: two fields": all_hear(form(subject="Refund", status=closed), UPDATED, STATUS),
    "admin form: nothing": all_hear(form()),
    "admin form: office": moves(form(office=orders)),
    # The admin's inline
    "admin inline: reply": all_hear(form(**with_reply("Hello")), REPLY),
    "admin inline: note": staff_hear(form(**with_reply("Hello", is_internal="on")), REPLY),
    "admin inline: delete a reply": replace(all_hear(form(**{"replies-0-DELETE": "on"}), DELETED), before=answer),
    "admin inline: reply and move": Row(
        form(**with_reply("Over to them"), office=orders),
        customer=(REPLY, UPDATED),
        casey=(REPLY, UPDATED),
        staff=(REPLY,),
        office=(REPLY, WITHDRAWN),
        admin=(REPLY, UPDATED),
        orders=(UPDATED,),
        losers=("staff",),
    ),
    "admin inline: delete a note": staff_hear(form(**{"replies-0-DELETE": "on"}), DELETED, before=note),
    # The admin's list
    "admin bulk: status": all_hear(selected(status=closed), STATUS),
    "admin bulk: priority": all_hear(selected(priority=high), UPDATED),
    "admin bulk: assignee": all_hear(selected(assigned_to=dana), UPDATED),
    "admin bulk: unassign": leaves_an_outsider(selected(assigned_to="none")),
    "admin bulk: to me": all_hear(selected(action="assign_to_me"), UPDATED),
    "admin bulk: office": moves(selected(office=orders)),
    # Deletion
    "admin delete": goes(delete_in_admin),
    "admin delete: an outsider's": replace(goes(delete_in_admin), before=assign_fatima, outsider=(WITHDRAWN,)),
    "admin bulk: delete": goes(delete_selected_in_admin),
    # The shell, through the verbs
    "shell: reply": all_hear(by_verb(lambda cast: cast.reply(cast.casey, "Hello")), REPLY),
    "shell: note": staff_hear(by_verb(note), REPLY),
    "shell: delete a note": staff_hear(by_verb(delete_note), DELETED, before=note),
    "shell: make a note public": appears(turned(internal=False)),
    "shell: make a reply internal": vanishes(turned(internal=True)),
    "shell: open": Row(
        by_verb(lambda cast: services.open_ticket(by=cast.casey, subject="Late", content="x", office=cast.billing)),
        casey=(CREATED,),
        office=(CREATED,),
    ),
    "shell: status": all_hear(
        by_verb(
            lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
        ),
        STATUS,
    ),
    "shell: priority": all_hear(
        by_verb(
            lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"priority": cast.priority("High")})
        ),
        UPDATED,
    ),
    "shell: assignee": all_hear(
        by_verb(lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.dana})),
        UPDATED,
    ),
    "shell: subject": all_hear(
        by_verb(lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"subject": "Refund"})), UPDATED
    ),
    "shell: unassign": replace(
        all_hear(
            by_verb(lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": None})),
            UPDATED,
        ),
        before=lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.dana}),
    ),
    "shell: unassign what is nobody's": all_hear(
        by_verb(lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": None}))
    ),
    "shell: move": moves(
        by_verb(
            lambda cast: services.update_ticket(
                Ticket.objects.get(pk=cast.ticket.pk), by=cast.bao, values={"office": cast.orders}
            )
        )
    ),
    "shell: delete": goes(by_verb(lambda cast: services.delete_ticket(cast.ticket, by=cast.ada))),
}
EVERY_EVENT = {CREATED, UPDATED, STATUS, REPLY, TURNED, DELETED, WITHDRAWN}


@dataclass(frozen=True)
class Ear:
    """A socket of somebody on one channel."""

    listener: Listener
    channel: str

    async def heard(self, *, loses: bool) -> list[str]:
        """Return the events that came on the channel, once nothing more can come: it is lost, or a fence came by."""
        if loses:
            await self.listener.event("pusher:subscription_error")
        else:
            await self.listener.hears_nothing(self.channel)
        frames = [frame for frame in self.listener.heard if frame.get("channel") == self.channel]
        return [frame["event"] for frame in frames if frame["event"].startswith("ticket.")]


async def ears(cast: Cast) -> dict[str, Ear]:
    """Return everybody who listens, and where."""
    where = {
        "customer": (cast.casey, cast.ticket.channel),
        "casey": (cast.casey, cast.casey.channel),
        "staff": (cast.dana, cast.ticket.channel),
        "office": (cast.dana, cast.billing.channel),
        "admin": (cast.ada, cast.ticket.channel),
        "orders": (cast.emil, cast.orders.channel),
        "greta": (cast.greta, cast.greta.channel),
        "fatima": (cast.fatima, cast.fraud.channel),
        "outsider": (cast.fatima, cast.fatima.channel),
    }
    return {name: Ear(await listen(person, channel), channel) for name, (person, channel) in where.items()}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
async def test_each_write_reaches_the_right_users_once(live_cast: Cast, row: Row) -> None:
    await do(row.before, live_cast)
    everybody = await ears(live_cast)
    await do(row.write, live_cast)
    heard = {name: await ear.heard(loses=name in row.losers) for name, ear in everybody.items()}
    assert heard == {name: list(getattr(row, name, ())) for name in everybody}


def test_table_covers_every_event() -> None:
    assert {event for row in ROWS.values() for event in (*row.casey, *row.staff, *row.office)} == EVERY_EVENT
