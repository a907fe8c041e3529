"""Every write path x every event: the right users receive the right events once, and no others do."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.support.sockets import SocketClient, do, subscribe
from tests.test_admin import bulk, filled_in, ticket_page, with_reply
from tickets import services
from tickets.actors import Cause, System
from tickets.links.services import link_tickets, unlink_tickets
from tickets.merging.services import merge_tickets, undo_merge
from tickets.models import Organization, OrganizationDomain, Reply, Ticket
from tickets.people.organizations import delete_organization, remove_member, save_organization
from tickets.people.participants import add_participant, remove_participant
from tickets.snooze.services import end_due_snooze
from tickets.submissions import state_of
from tickets.tags.services import add_tag

CREATED, UPDATED, STATUS = "ticket.created", "ticket.updated", "ticket.status.changed"
REPLY, DELETED, WITHDRAWN = "ticket.reply.created", "ticket.reply.deleted", "ticket.withdrawn"
REDUCED = "ticket.access.reduced"
REPLY_UPDATED, NOTIFIED = "ticket.reply.updated", "ticket.notified"
EDITED = "ticket.reply.edited"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def done(response: Any) -> None:
    """Check that a form was accepted: a page that shows it again changed nothing."""
    assert response.status_code in (200, 201, 204, 302), response.status_code
    assert "errorlist" not in response.content.decode(errors="replace")


def post(by: str, address: str, **fields: Any) -> Callable[[Cast], None]:
    return lambda cast: done(
        signed_in(getattr(cast, by)).post(address.format(cast.ticket.uuid), resolved(cast, fields))
    )


def resolved(cast: Cast, fields: dict[str, Any]) -> dict[str, Any]:
    """Replace callables by values from the cast, which the database assigns."""
    return {name: value(cast) if callable(value) else value for name, value in fields.items()}


def page(by: str, **fields: Any) -> Callable[[Cast], None]:
    return post(by, "/tickets/{}/change/", **fields)


def sends(by: str, method: str, path: str, **fields: Any) -> Callable[[Cast], None]:
    """Send an API request of a user."""

    def write(cast: Cast) -> None:
        program = ApiClient(getattr(cast, by))
        done(program.ask(method, path.format(cast.ticket.uuid), resolved(cast, fields)))

    return write


def many(**fields: Any) -> Callable[[Cast], None]:
    return post("bao", "/tickets/bulk/", tickets=lambda cast: [str(cast.ticket.uuid)], **fields)


def form(**fields: Any) -> Callable[[Cast], None]:
    """Change fields, or add or delete a reply, in the admin's form of the ticket."""

    def write(cast: Cast) -> None:
        client, address = signed_in(cast.bao), ticket_page(cast.ticket)
        done(client.post(address, filled_in(client, address, **resolved(cast, fields))))

    return write


def selected(**fields: Any) -> Callable[[Cast], None]:
    return lambda cast: done(bulk(signed_in(cast.bao), [cast.ticket], **resolved(cast, fields)))


def by_service(service: Callable[[Cast], object]) -> Callable[[Cast], None]:
    def write(cast: Cast) -> None:
        service(cast)

    return write


def delete_in_admin(cast: Cast) -> None:
    done(signed_in(cast.ada).post(f"/admin/tickets/ticket/{cast.ticket.pk}/delete/", {"post": "yes"}))


def delete_selected_in_admin(cast: Cast) -> None:
    done(bulk(signed_in(cast.ada), [cast.ticket], action="delete_selected", post="yes"))


def delete_note(cast: Cast) -> None:
    services.delete_reply(Reply.objects.get(is_internal=True), by=cast.bao)


def the_reply(cast: Cast) -> str:
    return str(Reply.objects.get().pk)


def visibility_by_page(visibility: str) -> Callable[[Cast], None]:
    return post("bao", "/tickets/{}/visibility/", reply=the_reply, visibility=visibility)


def visibility_by_api(internal: bool) -> Callable[[Cast], None]:
    def write(cast: Cast) -> None:
        sends("bao", "PATCH", f"tickets/{{}}/replies/{the_reply(cast)}/", is_internal=internal)(cast)

    return write


def visibility_by_service(internal: bool) -> Callable[[Cast], None]:
    return lambda cast: services.change_visibility(Reply.objects.get(), by=cast.bao, internal=internal) and None


def edit_by_page(cast: Cast) -> None:
    seen = state_of(Reply.objects.get())
    post("bao", f"/tickets/{{}}/replies/{the_reply(cast)}/edit/", message="Edited", seen=seen)(cast)


def edit_by_api(cast: Cast) -> None:
    sends("bao", "PATCH", f"tickets/{{}}/replies/{the_reply(cast)}/", message="Edited")(cast)


def edit_by_service(cast: Cast) -> None:
    services.edit_reply(Reply.objects.get(), by=cast.bao, message="Edited")


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


def for_casey(cast: Cast) -> dict[str, Any]:
    words = {"subject": "Late", "content": "x", "office": cast.billing.pk, "priority": cast.ticket.priority_id}
    return {**words, "customer": "casey@example.com"}


@dataclass(frozen=True)
class Row:
    """A write, and the events that each user receives in order: on the ticket as customer, agent and admin, on the
    customer's own channel, in the ticket's office, and in Orders, to which it may be moved.

    Greta (another customer) and Fatima (another office) receive nothing, unless they share Casey's organization.
    """

    write: Callable[[Cast], None]
    customer: tuple[str, ...] = ()
    casey: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()
    office: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    outsider: tuple[
        str, ...
    ] = ()  # Fatima of another office, on her own channel, when the ticket was assigned to her
    before: Callable[[Cast], object] = field(default=lambda cast: None)
    losers: tuple[str, ...] = ()  # subscribers of the ticket who lose access
    greta: tuple[str, ...] = ()


def all_receive(write: Callable[[Cast], None], *events: str) -> Row:
    return Row(write, customer=events, casey=events, staff=events, office=events, admin=events)


def staff_receive(write: Callable[[Cast], None], *events: str, before: Any = lambda cast: None) -> Row:
    return Row(write, staff=events, office=events, admin=events, before=before)


def published(write: Callable[[Cast], None]) -> Row:
    """A note is published: its customer receives a new reply."""
    return replace(staff_receive(write, REPLY_UPDATED, before=note), customer=(REPLY,), casey=(REPLY,))


def hidden(write: Callable[[Cast], None]) -> Row:
    """A reply is made internal: its customer receives a deletion."""
    return replace(staff_receive(write, REPLY_UPDATED, before=answer), customer=(DELETED,), casey=(DELETED,))


def linked(write: Callable[[Cast], None], *, before: Any) -> Row:
    """Casey's ticket is linked to one of Greta's in Orders, or unlinked: the staff of both receive it."""
    return replace(staff_receive(write, UPDATED, before=before), orders=(UPDATED,))


def merged(write: Callable[[Cast], None]) -> Row:
    """Casey's ticket is merged into one of Greta's in Orders, whose readers receive nothing."""
    both = dict.fromkeys(("staff", "office", "admin"), (STATUS, UPDATED))
    return Row(write, customer=(STATUS,), casey=(STATUS,), before=open_other, **both)


def unmerged(write: Callable[[Cast], None]) -> Row:
    """The merge is undone, which brings back the status."""
    both = dict.fromkeys(("staff", "office", "admin"), (UPDATED, STATUS))
    return Row(write, customer=(STATUS,), casey=(STATUS,), before=merge, **both)


def moved(write: Callable[[Cast], None]) -> Row:
    """Billing receives the withdrawal and its staff lose the subscription; the others receive the update."""
    others = dict.fromkeys(("customer", "casey", "admin", "orders"), (UPDATED,))
    return Row(write, office=(WITHDRAWN,), losers=("staff",), **others)


def deleted(write: Callable[[Cast], None]) -> Row:
    """A deleted ticket: the subscriptions end, and users receive the withdrawal only."""
    return Row(write, casey=(WITHDRAWN,), office=(WITHDRAWN,), losers=("customer", "staff", "admin"))


def unassigned_outsider(write: Callable[[Cast], None]) -> Row:
    """Unassigned from a user without other access, who receives the withdrawal only."""
    return replace(all_receive(write, UPDATED), before=assign_fatima, outsider=(WITHDRAWN,))


def members_lose(write: Callable[[Cast], None]) -> Row:
    """Casey and Greta see each other's tickets no more, which each of them receives alone."""
    return Row(write, before=organize, casey=(REDUCED,), greta=(REDUCED,))


def organize(cast: Cast) -> None:
    organization = Organization.objects.create(name="Acme", members_see_tickets=True)
    OrganizationDomain.objects.create(organization=organization, domain="example.com")


def in_admin(by: str = "ada", **fields: Any) -> Callable[[Cast], None]:
    """Change the organization in its form of the admin."""

    def write(cast: Cast) -> None:
        client = signed_in(getattr(cast, by))
        address = f"/admin/tickets/organization/{Organization.objects.get().pk}/change/"
        shown = {"domains-0-domain": "example.com"}
        done(client.post(address, filled_in(client, address, **shown, **fields)))

    return write


def assign_fatima(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.fatima})


def add_fatima(cast: Cast) -> None:
    add_participant(cast.ticket, by=cast.bao, person=cast.fatima)


def fatima(cast: Cast) -> str:
    return str(cast.fatima.pk)


def tag(cast: Cast) -> None:
    add_tag(cast.ticket, "refund", by=cast.bao)


def open_other(cast: Cast) -> Ticket:
    return services.open_ticket(by=cast.greta, subject="Late", content="x", office=cast.orders)


def other() -> Ticket:
    return Ticket.objects.get(subject="Late")


def link(cast: Cast) -> None:
    link_tickets(cast.ticket, open_other(cast), by=cast.ada)


def merge(cast: Cast) -> None:
    merge_tickets([cast.ticket], open_other(cast), by=cast.ada)


def merge_by_page(cast: Cast) -> None:
    words = {"tickets": str(cast.ticket.uuid), "into": str(other().uuid), "confirmed": "on"}
    done(signed_in(cast.ada).post("/tickets/merge/", words))


def unlink_by_api(cast: Cast) -> None:
    sends("ada", "DELETE", f"tickets/{{}}/links/{other().uuid}/")(cast)


def tomorrow(cast: Cast) -> datetime:
    return timezone.now() + timedelta(days=1)


def snooze(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.dana, values={"snoozed_until": tomorrow(cast)})


def end_snooze(cast: Cast) -> None:
    Ticket.objects.update(snoozed_until=timezone.now())
    end_due_snooze(cast.ticket, by=System(Cause.SCHEDULE))


def close(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})


def note(cast: Cast) -> None:
    cast.reply(cast.bao, "A note", internal=True)


def answer(cast: Cast) -> None:
    cast.reply(cast.bao, "An answer")


ROWS = {
    # The pages
    "page: open": Row(open_on_the_page, casey=(CREATED,), office=(CREATED,)),
    "page: open for a customer": Row(
        lambda cast: done(signed_in(cast.bao).post("/tickets/new/", for_casey(cast))),
        casey=(CREATED,),
        office=(CREATED,),
    ),
    "page: reply": all_receive(post("casey", "/tickets/{}/replies/", message="Hello"), REPLY),
    "page: note": staff_receive(post("bao", "/tickets/{}/replies/", message="Hello", internal="on"), REPLY),
    "page: reply to a closed one": replace(
        all_receive(post("casey", "/tickets/{}/replies/", message="Hello"), REPLY, STATUS), before=close
    ),
    "page: reply and close": all_receive(
        post("bao", "/tickets/{}/replies/", message="Hello", then="close"), REPLY, STATUS
    ),
    "page: make a note public": published(visibility_by_page("public")),
    "page: make a reply internal": hidden(visibility_by_page("internal")),
    "page: make a note internal": staff_receive(visibility_by_page("internal"), before=note),
    "page: edit a reply": replace(all_receive(edit_by_page, EDITED), before=answer),
    "page: edit a note": staff_receive(edit_by_page, EDITED, before=note),
    "page: unassign": unassigned_outsider(page("bao", assigned_to="")),
    "page: status": all_receive(page("bao", status=closed), STATUS),
    "page: the same status": all_receive(page("bao", status=lambda cast: cast.ticket.status_id)),
    "page: priority": all_receive(page("bao", priority=high), UPDATED),
    "page: subject": all_receive(page("bao", subject="Refund"), UPDATED),
    "page: assignee": all_receive(page("bao", assigned_to=dana), UPDATED),
    "page: office": moved(page("bao", office=orders)),
    "page: add a participant": Row(
        post("bao", "/tickets/{}/participants/", person=fatima),
        **dict.fromkeys(("customer", "casey", "staff", "office", "admin"), (UPDATED,)),
        outsider=(UPDATED,),
    ),
    "page: remove a participant": replace(
        all_receive(post("bao", "/tickets/{}/participants/remove/", person=fatima), UPDATED),
        before=add_fatima,
        outsider=(WITHDRAWN,),
    ),
    "page: add a tag": staff_receive(post("bao", "/tickets/{}/tags/", tag="refund"), UPDATED),
    "page: add a tag that is there": staff_receive(post("bao", "/tickets/{}/tags/", tag="REFUND"), before=tag),
    "page: remove a tag": staff_receive(
        post("bao", "/tickets/{}/tags/remove/", tag=lambda cast: str(cast.ticket.tags.get().pk)), UPDATED, before=tag
    ),
    "page: link": linked(
        post("ada", "/tickets/{}/links/add/", ticket=lambda cast: other().reference), before=open_other
    ),
    "page: link to an invisible ticket": staff_receive(
        lambda cast: signed_in(cast.bao).post(
            f"/tickets/{cast.ticket.uuid}/links/add/", {"ticket": other().reference}
        ),
        before=open_other,
    ),
    "page: unlink": linked(
        post("ada", "/tickets/{}/links/remove/", ticket=lambda cast: str(other().uuid)), before=link
    ),
    "page: snooze": staff_receive(post("bao", "/tickets/{}/snooze/", name="later"), UPDATED),
    "page: end a snooze": staff_receive(post("bao", "/tickets/{}/snooze/", name="end"), UPDATED, before=snooze),
    "page: reply to a snoozed one": replace(
        all_receive(post("casey", "/tickets/{}/replies/", message="Hello"), REPLY, UPDATED),
        before=snooze,
        customer=(REPLY,),
        casey=(REPLY,),
    ),
    "page: close a snoozed one": replace(
        all_receive(page("bao", status=closed), STATUS, UPDATED), before=snooze, customer=(STATUS,), casey=(STATUS,)
    ),
    # The API
    "api: open": Row(
        sends("casey", "POST", "tickets/", subject="Late", content="x", office="Billing"),
        casey=(CREATED,),
        office=(CREATED,),
    ),
    "api: open for a customer": Row(
        lambda cast: done(ApiClient(cast.bao).ask("POST", "tickets/", for_casey(cast))),
        casey=(CREATED,),
        office=(CREATED,),
    ),
    "api: tags": staff_receive(
        sends("bao", "PATCH", "tickets/{}/", tags=["vip", "angry"]), UPDATED, UPDATED, UPDATED, before=tag
    ),
    "api: link": linked(
        sends("ada", "POST", "tickets/{}/links/", ticket=lambda cast: other().reference), before=open_other
    ),
    "page: merge": merged(merge_by_page),
    "page: undo merge": unmerged(post("ada", "/tickets/{}/merges/undo/", ticket=lambda cast: str(cast.ticket.uuid))),
    "api: merge": merged(sends("ada", "POST", "tickets/{}/merge/", into=lambda cast: other().reference)),
    "api: undo merge": unmerged(sends("ada", "DELETE", "tickets/{}/merge/")),
    "shell: merge": merged(by_service(lambda cast: merge_tickets([cast.ticket], other(), by=cast.ada))),
    "shell: undo merge": unmerged(by_service(lambda cast: undo_merge(cast.ticket, by=cast.ada))),
    "api: unlink": linked(unlink_by_api, before=link),
    "api: snooze": staff_receive(sends("bao", "PATCH", "tickets/{}/", snoozed_until=tomorrow), UPDATED),
    "api: reply": all_receive(sends("casey", "POST", "tickets/{}/replies/", message="Hello"), REPLY),
    "api: reply and close": all_receive(
        sends("bao", "POST", "tickets/{}/replies/", message="Hello", status="Closed"), REPLY, STATUS
    ),
    "api: note": staff_receive(sends("bao", "POST", "tickets/{}/replies/", message="Hello", is_internal=True), REPLY),
    "api: make a note public": published(visibility_by_api(internal=False)),
    "api: make a reply internal": hidden(visibility_by_api(internal=True)),
    "api: make a reply public": replace(all_receive(visibility_by_api(internal=False)), before=answer),
    "api: edit a reply": replace(all_receive(edit_by_api, EDITED), before=answer),
    "api: edit a note": staff_receive(edit_by_api, EDITED, before=note),
    "api: status": all_receive(sends("bao", "PATCH", "tickets/{}/", status="Closed"), STATUS),
    "api: the same status": all_receive(sends("bao", "PATCH", "tickets/{}/", status="Open")),
    "api: priority": all_receive(sends("bao", "PATCH", "tickets/{}/", priority="High"), UPDATED),
    "api: subject": all_receive(sends("bao", "PATCH", "tickets/{}/", subject="Refund"), UPDATED),
    "api: assignee": all_receive(sends("bao", "PATCH", "tickets/{}/", assigned_to=dana), UPDATED),
    "api: two fields": all_receive(
        sends("bao", "PATCH", "tickets/{}/", subject="Refund", status="Closed"), STATUS, UPDATED
    ),
    "api: office": moved(sends("bao", "PATCH", "tickets/{}/", office="Orders")),
    "api: add a participant": Row(
        sends("bao", "POST", "tickets/{}/participants/", person=fatima),
        **dict.fromkeys(("customer", "casey", "staff", "office", "admin"), (UPDATED,)),
        outsider=(UPDATED,),
    ),
    "api: remove a participant": replace(
        all_receive(
            lambda cast: sends("bao", "DELETE", f"tickets/{{}}/participants/{cast.fatima.pk}/")(cast), UPDATED
        ),
        before=add_fatima,
        outsider=(WITHDRAWN,),
    ),
    # The list
    "list: status": all_receive(many(status=closed), STATUS),
    "list: priority": all_receive(many(priority=high), UPDATED),
    "list: assignee": all_receive(many(assigned_to=dana), UPDATED),
    "list: unassign": unassigned_outsider(many(assigned_to="none")),
    "list: office": moved(many(office=orders)),
    "list: snooze": staff_receive(many(snooze="later"), UPDATED),
    # The admin's form
    "admin form: open": Row(open_in_the_admin, office=(CREATED,)),
    "admin form: open for a customer": Row(
        lambda cast: done(signed_in(cast.ada).post("/admin/tickets/ticket/add/", for_casey(cast))),
        casey=(CREATED,),
        office=(CREATED,),
    ),
    "admin form: status": all_receive(form(status=closed), STATUS),
    "admin form: priority": all_receive(form(priority=high), UPDATED),
    "admin form: subject": all_receive(form(subject="Refund"), UPDATED),
    "admin form: assignee": all_receive(form(assigned_to=dana), UPDATED),
    "admin form: unassign": unassigned_outsider(form(assigned_to="")),
    "admin form: two fields": all_receive(form(subject="Refund", status=closed), UPDATED, STATUS),
    "admin form: nothing": all_receive(form()),
    "admin form: office": moved(form(office=orders)),
    # The admin's inline
    "admin inline: reply": all_receive(form(**with_reply("Hello")), REPLY),
    "admin inline: note": staff_receive(form(**with_reply("Hello", is_internal="on")), REPLY),
    "admin inline: delete a reply": replace(all_receive(form(**{"replies-0-DELETE": "on"}), DELETED), before=answer),
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
    "admin inline: delete a note": staff_receive(form(**{"replies-0-DELETE": "on"}), DELETED, before=note),
    "admin inline: add a participant": Row(
        form(**{"participants-0-person": "fatima@example.com"}),
        **dict.fromkeys(("customer", "casey", "staff", "office", "admin"), (UPDATED,)),
        outsider=(UPDATED,),
    ),
    "admin inline: remove a participant": replace(
        all_receive(form(**{"participants-0-DELETE": "on"}), UPDATED), before=add_fatima, outsider=(WITHDRAWN,)
    ),
    # The admin's list
    "admin bulk: status": all_receive(selected(status=closed), STATUS),
    "admin bulk: priority": all_receive(selected(priority=high), UPDATED),
    "admin bulk: assignee": all_receive(selected(assigned_to=dana), UPDATED),
    "admin bulk: unassign": unassigned_outsider(selected(assigned_to="none")),
    "admin bulk: to me": all_receive(selected(action="assign_to_me"), UPDATED),
    "admin bulk: office": moved(selected(office=orders)),
    # Deletion
    "admin delete": deleted(delete_in_admin),
    "admin delete: an outsider's": replace(deleted(delete_in_admin), before=assign_fatima, outsider=(WITHDRAWN,)),
    "admin bulk: delete": deleted(delete_selected_in_admin),
    # The shell, through the services
    "shell: reply": all_receive(by_service(lambda cast: cast.reply(cast.casey, "Hello")), REPLY),
    "shell: note": staff_receive(by_service(note), REPLY),
    "shell: delete a note": staff_receive(by_service(delete_note), DELETED, before=note),
    "shell: edit a reply": replace(all_receive(edit_by_service, EDITED), before=answer),
    "shell: edit a note": staff_receive(edit_by_service, EDITED, before=note),
    "shell: make a note public": published(visibility_by_service(internal=False)),
    "shell: make a reply internal": hidden(visibility_by_service(internal=True)),
    "shell: open": Row(
        by_service(
            lambda cast: services.open_ticket(by=cast.casey, subject="Late", content="x", office=cast.billing)
        ),
        casey=(CREATED,),
        office=(CREATED,),
    ),
    "shell: status": all_receive(
        by_service(
            lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
        ),
        STATUS,
    ),
    "shell: priority": all_receive(
        by_service(
            lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"priority": cast.priority("High")})
        ),
        UPDATED,
    ),
    "shell: assignee": all_receive(
        by_service(lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.dana})),
        UPDATED,
    ),
    "shell: subject": all_receive(
        by_service(lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"subject": "Refund"})),
        UPDATED,
    ),
    "shell: link": linked(
        by_service(lambda cast: link_tickets(cast.ticket, other(), by=cast.ada)), before=open_other
    ),
    "shell: unlink": linked(by_service(lambda cast: unlink_tickets(other(), cast.ticket, by=cast.ada)), before=link),
    "job: end a snooze": staff_receive(by_service(end_snooze), UPDATED, before=snooze),
    "shell: unassign": replace(
        all_receive(
            by_service(lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": None})),
            UPDATED,
        ),
        before=lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.dana}),
    ),
    "shell: unassign an unassigned ticket": all_receive(
        by_service(lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": None}))
    ),
    "shell: move": moved(
        by_service(
            lambda cast: services.update_ticket(
                Ticket.objects.get(pk=cast.ticket.pk), by=cast.bao, values={"office": cast.orders}
            )
        )
    ),
    "shell: add a participant": Row(
        by_service(add_fatima),
        **dict.fromkeys(("customer", "casey", "staff", "office", "admin"), (UPDATED,)),
        outsider=(UPDATED,),
    ),
    "shell: remove a participant": replace(
        all_receive(
            by_service(lambda cast: remove_participant(cast.ticket, by=cast.bao, person=cast.fatima)), UPDATED
        ),
        before=add_fatima,
        outsider=(WITHDRAWN,),
    ),
    # Organizations
    "page organization: switch off": members_lose(
        post("ada", "/settings/organizations/1/", name="Acme", domains="example.com")
    ),
    "api organization: remove a member": members_lose(
        lambda cast: sends("ada", "DELETE", f"organizations/1/members/{cast.greta.pk}/")(cast)
    ),
    "admin organization: switch off": members_lose(in_admin(members_see_tickets=False)),
    "admin organization: remove a member": members_lose(in_admin(**{"members-0-DELETE": "on"})),
    "admin organization: rename": replace(members_lose(in_admin(name="Ajax")), casey=(), greta=()),
    "shell: delete a domain": members_lose(
        by_service(lambda cast: save_organization(Organization.objects.get(), by=cast.ada, domains=[]))
    ),
    "shell: remove a member": members_lose(
        by_service(lambda cast: remove_member(Organization.objects.get(), by=cast.ada, person=cast.casey))
    ),
    "shell: delete an organization": members_lose(
        by_service(lambda cast: delete_organization(Organization.objects.get(), by=cast.ada))
    ),
    "shell: delete": deleted(by_service(lambda cast: services.delete_ticket(cast.ticket, by=cast.ada))),
}
EVERY_EVENT = {CREATED, UPDATED, STATUS, REPLY, REPLY_UPDATED, EDITED, DELETED, WITHDRAWN, REDUCED}


@dataclass(frozen=True)
class Subscriber:
    """A socket of a user on one channel."""

    listener: SocketClient
    channel: str

    async def received(self, *, loses: bool) -> list[str]:
        """Return the events on the channel after a barrier event, or after the subscription ended."""
        if loses:
            await self.listener.event("pusher:subscription_error")
        else:
            await self.listener.receives_nothing(self.channel)
        frames = [frame for frame in self.listener.received if frame.get("channel") == self.channel]
        events = [frame["event"] for frame in frames if frame["event"].startswith("ticket.")]
        return [event for event in events if event != NOTIFIED]  # who receives it: tests/tickets/notifications/


async def subscribe_all(cast: Cast) -> dict[str, Subscriber]:
    """Return all subscribers and their channels."""
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
    return {name: Subscriber(await subscribe(person, channel), channel) for name, (person, channel) in where.items()}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
async def test_each_write_reaches_the_right_users_once(live_cast: Cast, row: Row) -> None:
    await do(row.before, live_cast)
    subscribers = await subscribe_all(live_cast)
    await do(row.write, live_cast)
    received = {name: await subscriber.received(loses=name in row.losers) for name, subscriber in subscribers.items()}
    assert received == {name: list(getattr(row, name, ())) for name in subscribers}


def test_table_covers_every_event() -> None:
    assert {event for row in ROWS.values() for event in (*row.casey, *row.staff, *row.office)} == EVERY_EVENT
