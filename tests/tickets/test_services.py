"""Services: what they write, what they refuse, and that unchanged values broadcast nothing."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from realtime.models import Broadcast
from tests.support.cast import Cast
from tickets import services
from tickets.models import MAX_MESSAGE, Reply, Status, Ticket, TimelineEntry


def timeline(ticket: Ticket) -> list[tuple[str, str]]:
    return list(ticket.timeline.values_list("action", "audience"))


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def test_new_ticket_is_open_unassigned_and_has_a_reference(cast: Cast) -> None:
    ticket = fresh(cast.ticket)
    assert (ticket.status.name, ticket.priority.name, ticket.assigned_to) == ("Open", "Medium", None)
    assert len(ticket.reference) == 8
    assert (ticket.public_seq, ticket.staff_seq, ticket.version) == (1, 1, 1)
    assert timeline(ticket) == [("created", "public")]


def test_only_staff_open_tickets_in_internal_offices(cast: Cast) -> None:
    words = {"subject": "S", "content": "C", "office": cast.fraud}
    with pytest.raises(PermissionDenied):
        services.open_ticket(by=cast.casey, **words)
    assert services.open_ticket(by=cast.emil, **words).office == cast.fraud


def test_note_does_not_change_what_customers_see(cast: Cast) -> None:
    before = fresh(cast.ticket)
    cast.reply(cast.bao, "Suspicious", internal=True)
    after = fresh(cast.ticket)
    assert (after.public_seq, after.public_updated_at, after.version) == (
        before.public_seq, before.public_updated_at, before.version,
    )  # fmt: skip
    assert after.staff_seq == before.staff_seq + 1
    assert after.updated_at > before.updated_at
    assert timeline(after)[-1] == ("noted", "staff")


def test_only_staff_of_the_ticket_write_notes(cast: Cast) -> None:
    for user in (cast.casey, cast.emil, cast.greta):
        with pytest.raises(PermissionDenied):
            cast.reply(user, "Hm", internal=True)
    assert not Reply.objects.exists()
    assert cast.reply(cast.dana, "Hm", internal=True).is_internal


def test_agent_is_the_customer_of_their_own_request(cast: Cast) -> None:
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    with pytest.raises(PermissionDenied):
        services.add_reply(ticket, by=cast.bao, message="Hm", internal=True)
    with pytest.raises(PermissionDenied):
        services.update_ticket(ticket, by=cast.bao, values={"status": cast.status("Closed")})
    assert services.add_reply(ticket, by=cast.bao, message="Any news?").author == cast.bao


@pytest.mark.parametrize("status", ["Closed", "On Hold"])
def test_only_a_customers_reply_returns_a_ticket_to_the_default_status(cast: Cast, status: str) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status(status)})
    cast.reply(cast.bao, "One more thing")
    cast.reply(cast.bao, "Nothing yet", internal=True)
    assert fresh(cast.ticket).status.name == status
    cast.reply(cast.casey, "It happened again")
    assert fresh(cast.ticket).status == Status.default()
    assert [action for action, _ in timeline(cast.ticket)][-2:] == ["replied", "status"]


def test_customers_reply_keeps_a_status_that_staff_work_on(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("In Progress")})
    cast.reply(cast.casey, "Any news?")
    assert fresh(cast.ticket).status.name == "In Progress"


@pytest.mark.parametrize("creator", ["ada", "bao", "dana", "emil", "casey"])
@pytest.mark.parametrize("status", ["Closed", "On Hold"])
def test_creators_reply_reopens_whatever_their_role(cast: Cast, creator: str, status: str) -> None:
    by = getattr(cast, creator)
    ticket = services.open_ticket(by=by, subject="Chair", content="Broken", office=cast.billing)
    services.update_ticket(ticket, by=cast.ada, values={"status": cast.status(status)})
    services.add_reply(ticket, by=by, message="Still broken")
    assert fresh(ticket).status == Status.default()


def test_creators_note_keeps_the_ticket_closed(cast: Cast) -> None:
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.billing)
    services.update_ticket(ticket, by=cast.bao, values={"status": cast.status("Closed")})
    services.add_reply(ticket, by=cast.bao, message="Glued it", internal=True)
    assert fresh(ticket).status.is_closed


def test_reopening_never_uses_a_status_that_a_reply_ends(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    Status.objects.update(is_default=False)
    Status.objects.filter(name="On Hold").update(is_default=True)
    cast.reply(cast.casey, "It happened again")
    assert fresh(cast.ticket).status.name == "Open"


def test_customers_reply_needs_no_status_to_return_to(cast: Cast) -> None:
    Status.objects.filter(is_closed=False).update(awaits_customer=True)
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    cast.reply(cast.casey, "It happened again")
    assert fresh(cast.ticket).status.name == "Closed"


def test_each_property_change_is_saved_and_broadcast(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"priority": cast.priority("High")})
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.emil})
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": None})
    services.update_ticket(cast.ticket, by=cast.bao, values={"subject": "  Charged\n three   times "})
    services.update_ticket(cast.ticket, by=cast.bao, values={"office": cast.orders})
    ticket = fresh(cast.ticket)
    assert (ticket.subject, ticket.office, ticket.version) == ("Charged three times", cast.orders, 6)
    assert [action for action, _ in timeline(ticket)] == [
        "created", "priority", "assigned_to", "assigned_to", "subject", "office",
    ]  # fmt: skip


def test_unchanged_value_broadcasts_nothing(cast: Cast) -> None:
    before = (Broadcast.objects.count(), TimelineEntry.objects.count(), fresh(cast.ticket).staff_seq)
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.ticket.status})
    services.update_ticket(cast.ticket, by=cast.bao, values={"priority": cast.ticket.priority})
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": None})
    services.update_ticket(cast.ticket, by=cast.bao, values={"office": cast.billing})
    services.update_ticket(cast.ticket, by=cast.bao, values={"subject": "Charged twice "})
    assert (Broadcast.objects.count(), TimelineEntry.objects.count(), fresh(cast.ticket).staff_seq) == before


def test_tickets_are_assigned_to_active_staff_only(cast: Cast) -> None:
    cast.dana.is_active = False
    cast.dana.save()
    for user in (cast.casey, cast.dana):
        with pytest.raises(ValidationError):
            services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": user})
    assert (
        services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.emil}).assigned_to == cast.emil
    )


def test_only_staff_of_the_ticket_change_it(cast: Cast) -> None:
    for user in (cast.casey, cast.emil, cast.greta, cast.hiro):
        with pytest.raises(PermissionDenied):
            services.update_ticket(cast.ticket, by=user, values={"status": cast.status("Closed")})
        with pytest.raises(PermissionDenied):
            services.update_ticket(cast.ticket, by=user, values={"assigned_to": cast.emil})
    for user in (cast.bao, cast.ada):
        services.update_ticket(cast.ticket, by=user, values={"assigned_to": user})


@pytest.mark.parametrize("message", ["", "  \n ", "x" * (MAX_MESSAGE + 1), "a\x00b"])
def test_invalid_message_is_rejected_with_a_reason(cast: Cast, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        cast.reply(cast.casey, message)
    assert refused.value.message_dict["message"]


def test_any_script_is_stored(cast: Cast) -> None:
    text = "こんにちは 👩‍👩‍👧‍👦 مرحبا \u202eabc\u202c Здравствуйте"
    assert Reply.objects.get(pk=cast.reply(cast.casey, text).pk).message == text


def test_references_reveal_no_number_of_tickets(cast: Cast) -> None:
    tickets = [services.open_ticket(by=cast.casey, subject="S", content="C", office=cast.billing) for _ in range(20)]
    assert len({ticket.reference for ticket in tickets}) == 20
    assert all(len(set(ticket.reference) - set("23456789BCDFGHJKMNPQRSTVWXZ-")) == 0 for ticket in tickets)


def test_several_fields_change_together_including_a_handover(cast: Cast) -> None:
    values = {"office": cast.orders, "subject": "Late", "status": cast.status("On Hold"), "assigned_to": cast.emil}
    services.update_ticket(cast.ticket, by=cast.bao, values=values)
    ticket = fresh(cast.ticket)
    assert (ticket.office, ticket.subject, ticket.status.name) == (cast.orders, "Late", "On Hold")
    assert [action for action, _audience in timeline(ticket)][1:] == ["status", "subject", "assigned_to", "office"]


def test_ticket_of_another_version_is_not_changed(cast: Cast) -> None:
    values = {"status": cast.status("Closed")}
    with pytest.raises(services.Stale):
        services.update_ticket(cast.ticket, by=cast.bao, values=values, if_versions={cast.ticket.version + 1})
    assert fresh(cast.ticket).status.name == "Open"
    services.update_ticket(cast.ticket, by=cast.bao, values=values, if_versions={cast.ticket.version})
    assert fresh(cast.ticket).status.name == "Closed"
