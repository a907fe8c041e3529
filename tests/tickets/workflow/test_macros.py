"""Macros: all or nothing, who may apply them, what follows a deleted status or tag, and what customers see."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import DeskSettings, User
from realtime.broadcasting import history
from tests.support.cast import Cast
from tests.support.jobs import run_due_jobs
from tickets import policies, services
from tickets.configuration.replacements import delete_value
from tickets.forms.choices import ListChoices
from tickets.macros import actions
from tickets.macros.services import apply_macro, save_macro
from tickets.models import Macro, Reply, Status, Tag, Ticket, TicketSubscription, TimelineEntry
from tickets.tags.services import add_tag, delete_tag
from tickets.unseen import UnseenMessages

pytestmark = pytest.mark.django_db


def macro_of(owner: User | None, /, *, name: str = "Refunded", **stored: Any) -> Macro:
    return Macro.objects.create(name=name, owner=owner, actions=stored)


def now(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def everything(cast: Cast) -> Macro:
    """A macro with each action."""
    old, new = Tag.objects.create(name="open", color="red"), Tag.objects.create(name="refund", color="blue")
    add_tag(cast.ticket, "open", by=cast.ada)
    return macro_of(
        cast.bao,
        status=cast.status("On Hold").pk,
        priority=cast.priority("High").pk,
        assigned_to="me",
        office=cast.orders.pk,
        add_tags=[new.pk],
        remove_tags=[old.pk],
        snooze="tomorrow",
        follow=True,
        reply="Hi {{customer.first_name}}, {{office}} has refunded {{reference}}.",
        note="Done by {{agent}}.",
    )


def texts(ticket: Ticket) -> list[tuple[str, bool]]:
    return [(reply.message, reply.is_internal) for reply in ticket.replies.order_by("number")]


def test_macro_does_all_that_it_names(cast: Cast) -> None:
    macro = everything(cast)
    assert apply_macro(macro, cast.ticket, by=cast.bao)
    ticket = now(cast.ticket)
    assert (ticket.status.name, ticket.priority.name, ticket.office.name) == ("On Hold", "High", "Orders")
    assert ticket.assigned_to == cast.bao
    assert ticket.snoozed_until is not None
    assert [tag.name for tag in ticket.tags.all()] == ["refund"]
    assert TicketSubscription.objects.filter(ticket=ticket, user=cast.bao, level="followed").exists()
    reply = f"Hi Casey, Billing has refunded {ticket.reference}."
    assert texts(ticket) == [(reply, False), ("Done by Bao Nguyen.", True)]
    macro.refresh_from_db()
    assert macro.uses == 1
    assert macro.last_used_at is not None


def test_activity_names_the_macro_before_its_changes_to_staff_only(cast: Cast) -> None:
    macro = macro_of(cast.bao, status=cast.status("Closed").pk, reply="Closed.")
    apply_macro(macro, cast.ticket, by=cast.bao)
    lines = list(policies.visible_timeline(cast.dana, cast.ticket))[-3:]
    assert [line.action for line in lines] == ["macro", "replied", "status"]
    assert lines[0].staff == {"from": None, "to": "Refunded"}
    seen = [line.action for line in policies.visible_timeline(cast.casey, cast.ticket)]
    assert seen == ["created", "replied", "status"]


def test_events_of_a_macro_reach_both_sides_without_its_name_for_customers(cast: Cast) -> None:
    macro = macro_of(cast.bao, name="Kryptonite", priority=cast.priority("High").pk, reply="Hello.")
    channel = cast.ticket.channel
    start = history.current_cursor()
    apply_macro(macro, cast.ticket, by=cast.bao)
    for user, names in ((cast.dana, True), (cast.casey, False)):
        events = history.read(user, [channel], start).events
        assert ("Kryptonite" in str(events)) is names
        assert "Hello." in str(events)


@pytest.mark.parametrize("name", ["casey", "greta", "emil", "hiro"])
def test_only_staff_of_the_ticket_apply_macros(cast: Cast, name: str) -> None:
    macro = macro_of(None, priority=cast.priority("High").pk)
    with pytest.raises(PermissionDenied):
        apply_macro(macro, cast.ticket, by=getattr(cast, name))
    assert now(cast.ticket).priority.name == "Medium"
    assert apply_macro(macro, cast.ticket, by=cast.dana)
    assert now(cast.ticket).priority.name == "High"


def test_macro_of_another_person_or_office_cannot_be_applied(cast: Cast) -> None:
    foreign = Macro.objects.create(name="Orders'", office=cast.orders, actions={"follow": True})
    for macro in (macro_of(cast.dana, follow=True), foreign):
        with pytest.raises(ValidationError, match="no longer exists"):
            apply_macro(macro, cast.ticket, by=cast.bao)
    assert apply_macro(macro_of(cast.bao, follow=True), cast.ticket, by=cast.bao)


@pytest.mark.parametrize("gone", ["status", "priority", "assigned_to", "office", "add_tags", "remove_tags"])
def test_macro_that_names_something_gone_changes_nothing(cast: Cast, gone: str) -> None:
    missing: dict[str, Any] = {"assigned_to": str(uuid4()), "add_tags": [999], "remove_tags": [999]}
    macro = macro_of(cast.bao, **{gone: missing.get(gone, 999)}, reply="Hello.", note="Done.", follow=True)
    version = now(cast.ticket).version
    with pytest.raises(ValidationError, match=r"no longer") as caught:
        apply_macro(macro, cast.ticket, by=cast.bao)
    assert caught.value.messages[-1] == "Nothing was changed."
    assert not Reply.objects.exists()
    assert not TicketSubscription.objects.exists()
    assert now(cast.ticket).version == version
    macro.refresh_from_db()
    assert macro.uses == 0


def test_deactivated_assignee_is_named_as_the_problem(cast: Cast) -> None:
    macro = macro_of(cast.bao, assigned_to=str(cast.dana.pk), reply="Hello.")
    User.objects.filter(pk=cast.dana.pk).update(is_active=False)
    with pytest.raises(ValidationError, match="assignee of this macro can no longer be assigned"):
        apply_macro(macro, cast.ticket, by=cast.bao)
    assert not Reply.objects.exists()


def test_failure_of_the_last_change_undoes_the_first(cast: Cast) -> None:
    """The status that closes the ticket has been changed into one that can't be snoozed."""
    macro = macro_of(cast.bao, reply="Hello.", follow=True, snooze="later")
    services.update_ticket(cast.ticket, by=cast.ada, values={"status": cast.status("Closed")})
    with pytest.raises(ValidationError, match="can't be snoozed"):
        apply_macro(macro, cast.ticket, by=cast.bao)
    assert not Reply.objects.exists()
    assert not TimelineEntry.objects.filter(action="macro").exists()
    assert not TicketSubscription.objects.exists()


def test_macro_applied_twice_by_one_form_is_applied_once(cast: Cast) -> None:
    macro, key = macro_of(cast.bao, reply="Hello."), uuid4()
    assert apply_macro(macro, cast.ticket, by=cast.bao, key=key)
    assert not apply_macro(macro, cast.ticket, by=cast.bao, key=key)
    assert len(texts(cast.ticket)) == 1
    assert apply_macro(macro, cast.ticket, by=cast.bao, key=uuid4())
    assert len(texts(cast.ticket)) == 2
    macro.refresh_from_db()
    assert macro.uses == 2


def test_newer_change_of_another_person_is_not_overwritten(cast: Cast) -> None:
    macro = macro_of(cast.bao, priority=cast.priority("High").pk, reply="Hello.")
    seen = cast.ticket.version
    services.update_ticket(cast.ticket, by=cast.dana, values={"priority": cast.priority("Low")})
    with pytest.raises(services.Conflict):
        apply_macro(macro, cast.ticket, by=cast.bao, seen_version=seen)
    assert (now(cast.ticket).priority.name, texts(cast.ticket)) == ("Low", [])
    assert apply_macro(macro, cast.ticket, by=cast.bao, seen_version=now(cast.ticket).version)
    assert now(cast.ticket).priority.name == "High"


def test_other_version_than_named_applies_nothing(cast: Cast) -> None:
    macro = macro_of(cast.bao, reply="Hello.")
    with pytest.raises(services.Stale):
        apply_macro(macro, cast.ticket, by=cast.bao, if_versions={cast.ticket.version + 1})
    assert texts(cast.ticket) == []
    assert apply_macro(macro, cast.ticket, by=cast.bao, if_versions={cast.ticket.version})


def test_reply_waits_until_newer_messages_are_seen(cast: Cast) -> None:
    macro, silent = macro_of(cast.bao, reply="Hello."), macro_of(cast.bao, follow=True)
    seen: UUID = cast.ticket.uuid
    latest = cast.reply(cast.casey, "One more thing")
    with pytest.raises(UnseenMessages):
        apply_macro(macro, cast.ticket, by=cast.bao, seen=seen)
    assert len(texts(cast.ticket)) == 1
    assert apply_macro(silent, cast.ticket, by=cast.bao, seen=seen)
    assert apply_macro(macro, cast.ticket, by=cast.bao, seen=latest.pk)


def test_variables_are_filled_in_as_the_customer_may_read_them(cast: Cast) -> None:
    DeskSettings(staff_names=DeskSettings.StaffNames.FIRST).save()
    apply_macro(macro_of(cast.bao, reply="{{agent}} {{office}}"), cast.ticket, by=cast.bao)
    assert texts(cast.ticket) == [("Bao Billing", False)]


def test_reply_is_sent_before_the_office_and_the_access_change(cast: Cast) -> None:
    macro = macro_of(cast.bao, office=cast.fraud.pk, reply="We look into it, {{office}}.", note="Please check.")
    apply_macro(macro, cast.ticket, by=cast.bao)
    assert texts(cast.ticket)[0][0] == "We look into it, Billing."
    assert not policies.can_change(cast.bao, now(cast.ticket))


def test_macro_follows_the_replacement_of_a_deleted_status(cast: Cast) -> None:
    on_hold, closed = cast.status("On Hold"), cast.status("Closed")
    macro = macro_of(cast.bao, status=on_hold.pk)
    services.update_ticket(cast.ticket, by=cast.ada, values={"status": on_hold})
    delete_value(on_hold, by=cast.ada, replacement=closed)
    run_due_jobs()
    assert not Status.objects.filter(name="On Hold").exists()
    apply_macro(macro, cast.ticket, by=cast.bao)
    assert now(cast.ticket).status == closed


def test_macro_follows_a_merged_tag(cast: Cast) -> None:
    refund, money, vip = (Tag.objects.create(name=name, color="red") for name in ("refund", "money", "vip"))
    macro = macro_of(cast.bao, add_tags=[refund.pk, money.pk], remove_tags=[vip.pk])
    delete_tag(refund, by=cast.ada, into=money)
    apply_macro(macro, cast.ticket, by=cast.bao)
    assert [tag.name for tag in cast.ticket.tags.all()] == ["money"]
    macro.refresh_from_db()
    assert macro.actions == {"add_tags": [money.pk], "remove_tags": [vip.pk]}
    delete_tag(money, by=cast.ada)
    with pytest.raises(ValidationError, match="A tag of this macro no longer exists"):
        apply_macro(macro, cast.ticket, by=cast.bao)


@pytest.mark.parametrize(
    ("stored", "field"),
    [
        ({}, "__all__"),
        ({"reply": "Hi {{name}}"}, "reply"),
        ({"note": " \n"}, "note"),
        ({"status": 999}, "status"),
        ({"status": "Closed", "snooze": "tomorrow"}, "snooze"),
        ({"add_tags": ["x"], "remove_tags": ["x"]}, "remove_tags"),
    ],
)
def test_macro_that_cannot_work_is_not_saved(cast: Cast, stored: dict[str, Any], field: str) -> None:
    keys = {"Closed": cast.status("Closed").pk, "x": Tag.objects.create(name="x", color="red").pk}
    if stored.get("status") in keys:
        stored = {**stored, "status": keys[stored["status"]]}
    stored = {name: [keys["x"]] if value == ["x"] else value for name, value in stored.items()}
    with pytest.raises(ValidationError) as caught:
        save_macro(Macro(name="M", owner=cast.bao, actions=stored), by=cast.bao)
    errors = caught.value.message_dict if hasattr(caught.value, "error_dict") else {"__all__": caught.value.messages}
    assert list(errors) == [field]
    assert not Macro.objects.exists()


def test_summary_says_what_a_macro_does(cast: Cast) -> None:
    summary = actions.read(everything(cast), ListChoices()).summary()
    assert summary.split(" · ") == [
        "Status: On Hold",
        "Priority: High",
        "Assignee: Me",
        "Office: Orders",
        "Add tags: refund",
        "Remove tags: open",
        "Snooze: Tomorrow at 9:00",
        "Follow: Yes",
        "Reply: Hi {{customer.first_name}}, {{office}} has refunded {{refer…",
        "Internal note: Done by {{agent}}.",
    ]
