"""Merging of tickets: who merges, what a merged ticket refuses, who sees what, and how it ends."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import policies, services
from tickets.actors import Source
from tickets.configuration.replacements import replace_batch
from tickets.drafts import Content, save_draft
from tickets.merging import services as merging
from tickets.models import Status, Ticket, TicketSubscription, TimelineEntry
from tickets.notifications.subscriptions import set_level
from tickets.people.participants import add_participant
from tickets.tags.services import add_tag

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def opened(by: User, office: Any, subject: str = "Again", **values: Any) -> Ticket:
    return services.open_ticket(by=by, subject=subject, content=f"{subject}?", office=office, **values)


@pytest.fixture
def target(cast: Cast) -> Ticket:
    """A second ticket of Casey's in Billing."""
    return opened(cast.casey, cast.billing)


@pytest.fixture
def theirs(cast: Cast) -> Ticket:
    """A ticket of Greta's in Orders, which neither Casey nor Billing sees."""
    return opened(cast.greta, cast.orders, "Kryptonite")


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related(*Ticket.RELATED).get(pk=ticket.pk)


def merged(cast: Cast, target: Ticket, *, by: User | None = None, **values: Any) -> Ticket:
    """Merge the ticket of the cast, and return it."""
    merging.merge_tickets([cast.ticket], target, by=by or cast.bao, **values)
    return again(cast.ticket)


def test_merged_ticket_is_closed_and_points_to_the_other_one(cast: Cast, target: Ticket) -> None:
    reply = cast.reply(cast.bao, "An answer")
    ticket = merged(cast, target)
    assert (ticket.merged_into, ticket.merged_by, ticket.status.is_closed) == (target, cast.bao, True)
    assert ticket.closed_at is not None
    assert ticket.status_before_merge == cast.status("Open")
    assert list(ticket.replies.all()) == [reply]
    assert not target.replies.exists()
    assert again(target).status == cast.status("Open")


@pytest.mark.parametrize("name", ["casey", "greta", "emil", "hiro"])
def test_others_than_staff_of_both_tickets_merge_nothing(cast: Cast, target: Ticket, name: str) -> None:
    person = getattr(cast, name)
    with pytest.raises(PermissionDenied):
        merging.merge_tickets([cast.ticket], target, by=person)
    merging.merge_tickets([cast.ticket], target, by=cast.bao)
    with pytest.raises(PermissionDenied):
        merging.undo_merge(cast.ticket, by=person)


def test_staff_of_one_of_both_tickets_merge_neither_way(cast: Cast, theirs: Ticket) -> None:
    for person in (cast.bao, cast.emil):
        for ticket, into in ((cast.ticket, theirs), (theirs, cast.ticket)):
            with pytest.raises(PermissionDenied):
                merging.merge_tickets([ticket], into, by=person)
    merging.merge_tickets([cast.ticket], theirs, by=cast.ada)
    with pytest.raises(PermissionDenied):
        merging.undo_merge(cast.ticket, by=cast.bao)


def test_ticket_is_merged_once_and_never_in_a_circle(cast: Cast, target: Ticket) -> None:
    third = opened(cast.casey, cast.billing, "Third")
    merged(cast, target)
    for ticket, into, sentence in (
        (cast.ticket, third, "merged already"),
        (target, cast.ticket, "was merged itself"),
        (third, cast.ticket, "was merged itself"),
        (target, target, "into itself"),
    ):
        with pytest.raises(ValidationError, match=sentence):
            merging.merge_tickets([ticket], into, by=cast.bao)
    merging.merge_tickets([target], third, by=cast.bao)
    with pytest.raises(ValidationError, match="was merged itself"):
        merging.merge_tickets([third], cast.ticket, by=cast.bao)


def test_several_tickets_are_merged_all_or_none(cast: Cast, target: Ticket) -> None:
    third = opened(cast.casey, cast.billing, "Third")
    with pytest.raises(ValidationError):
        merging.merge_tickets([cast.ticket, target], target, by=cast.bao)
    assert not Ticket.objects.exclude(merged_into=None).exists()
    merging.merge_tickets([cast.ticket, third], target, by=cast.bao)
    assert set(Ticket.objects.filter(merged_into=target)) == {cast.ticket, third}


def test_merged_ticket_takes_no_changes_and_no_replies(cast: Cast, target: Ticket) -> None:
    ticket = merged(cast, target)
    for change in (
        lambda: services.update_ticket(ticket, by=cast.bao, values={"status": cast.status("Open")}),
        lambda: services.update_ticket(ticket, by=cast.bao, values={"tags": ["x"]}),
        lambda: services.add_reply(ticket, by=cast.bao, message="x"),
        lambda: services.add_reply(ticket, by=cast.bao, message="x", internal=True),
        lambda: services.add_reply(ticket, by=cast.casey, message="x"),
        lambda: add_tag(ticket, "x", by=cast.bao),
        lambda: add_participant(ticket, by=cast.bao, person=cast.greta),
    ):
        with pytest.raises(ValidationError, match="was merged into another one"):
            change()
    assert again(ticket).is_merged


def test_page_and_api_say_why_and_keep_the_text(cast: Cast, target: Ticket) -> None:
    ticket = merged(cast, target)
    page = signed_in(cast.bao).post(f"{ticket.get_absolute_url()}replies/", {"message": "My long text"})
    assert (page.status_code, "My long text" in page.text) == (422, True)
    assert "Write your message there." in page.text
    answer = ApiClient(cast.bao).post(f"tickets/{ticket.uuid}/replies/", {"message": "x"})
    assert (answer.status_code, "was merged" in answer.text) == (422, True)
    answer = ApiClient(cast.bao).patch(f"tickets/{ticket.uuid}/", {"status": "Open"})
    assert (answer.status_code, "was merged" in answer.text) == (422, True)


def test_undo_brings_back_the_status_and_takes_replies(cast: Cast, target: Ticket) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("In Progress")})
    ticket = merged(cast, target)
    merging.undo_merge(ticket, by=cast.dana)
    ticket = again(ticket)
    assert (ticket.is_merged, ticket.merged_by, ticket.merged_at, ticket.closed_at) == (False, None, None, None)
    assert ticket.status == cast.status("In Progress")
    cast.reply(cast.bao, "Goes on")
    with pytest.raises(ValidationError, match="not merged"):
        merging.undo_merge(ticket, by=cast.dana)


def test_undo_of_a_closed_ticket_leaves_it_closed_since_then(cast: Cast, target: Ticket) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    before = again(cast.ticket)
    merging.undo_merge(merged(cast, target), by=cast.bao)
    after = again(cast.ticket)
    assert (after.status, after.closed_at) == (before.status, before.closed_at)


def test_merge_is_undone_within_a_day_only(cast: Cast, target: Ticket) -> None:
    ticket = merged(cast, target)
    Ticket.objects.filter(pk=ticket.pk).update(merged_at=timezone.now() - timedelta(days=1, seconds=1))
    with pytest.raises(ValidationError, match="within a day"):
        merging.undo_merge(ticket, by=cast.bao)
    Ticket.objects.filter(pk=ticket.pk).update(merged_at=timezone.now() - timedelta(hours=23))
    merging.undo_merge(ticket, by=cast.bao)


def test_reader_of_one_ticket_does_not_learn_of_the_other(cast: Cast, theirs: Ticket) -> None:
    ticket = merged(cast, theirs, by=cast.ada)
    for person, seen, hidden in (
        (cast.casey, ticket, theirs), (cast.bao, ticket, theirs),
        (cast.greta, theirs, ticket), (cast.emil, theirs, ticket),
    ):  # fmt: skip
        assert policies.target_of_merge(person, ticket) is None
        assert policies.merged_tickets(person, theirs) == []
        page = signed_in(person).get(seen.get_absolute_url()).text
        assert [word for word in (hidden.reference, hidden.subject, str(hidden.uuid)) if word in page] == []
    assert policies.target_of_merge(cast.ada, ticket) == theirs
    assert policies.merged_tickets(cast.ada, theirs) == [ticket]
    pages = [signed_in(cast.ada).get(each.get_absolute_url()).text for each in (ticket, theirs)]
    assert [theirs.reference in pages[0], ticket.reference in pages[1]] == [True, True]


def test_customer_who_sees_only_their_ticket_sees_it_closed_and_nothing_else(cast: Cast, theirs: Ticket) -> None:
    merged(cast, theirs, by=cast.ada)
    page = signed_in(cast.casey).get(cast.ticket.get_absolute_url()).text
    assert "Replying reopens it" in page
    assert 'data-if="merge.is_merged" hidden' in page
    shown = signed_in(cast.casey).get(f"{cast.ticket.get_absolute_url()}merges/").json()
    assert shown == {"merge": {"is_merged": False, "into": None, "merged": []}}
    assert "merge" not in ApiClient(cast.casey).get(f"tickets/{cast.ticket.uuid}/").text


def test_reply_of_a_customer_who_cannot_see_the_other_ticket_ends_the_merge(cast: Cast, theirs: Ticket) -> None:
    ticket = merged(cast, theirs, by=cast.ada)
    reply = services.add_reply(ticket, by=cast.casey, message="Still there")
    ticket = again(ticket)
    assert (reply.ticket, ticket.is_merged, ticket.status) == (ticket, False, cast.status("Open"))
    assert not theirs.replies.exists()
    actions = TimelineEntry.objects.filter(ticket=ticket).values_list("action", "audience")
    assert list(actions)[1:] == [
        ("status", "public"), ("merged", "staff"), ("unmerged", "staff"), ("replied", "public"), ("status", "public"),
    ]  # fmt: skip


def test_chain_is_followed_as_far_as_one_sees(cast: Cast, target: Ticket) -> None:
    last = opened(cast.casey, cast.billing, "Last")
    merged(cast, target)
    merging.merge_tickets([target], last, by=cast.bao)
    assert policies.merged_tickets(cast.bao, last) == [cast.ticket, target]
    services.update_ticket(last, by=cast.ada, values={"office": cast.orders})
    assert policies.merged_tickets(cast.emil, again(last)) == []
    merging.undo_merge(target, by=cast.ada)
    assert policies.merged_tickets(cast.casey, again(target)) == [cast.ticket]


def test_followers_follow_the_other_ticket_where_they_may(cast: Cast, target: Ticket) -> None:
    for person in (cast.dana, cast.ada):
        set_level(cast.ticket, by=person, level="followed")
    set_level(target, by=cast.ada, level="muted")
    merged(cast, target)
    levels = TicketSubscription.objects.filter(ticket=target).values_list("user__name", "level")
    assert dict(levels) == {"Dana Okafor": "followed", "Ada Admin": "muted"}


def test_customers_take_part_in_the_other_ticket_by_choice_only(cast: Cast, theirs: Ticket) -> None:
    merging.undo_merge(merged(cast, theirs, by=cast.ada), by=cast.ada)
    assert not policies.takes_part(cast.casey, again(theirs))
    merged(cast, theirs, by=cast.ada, add_customers=True)
    assert policies.takes_part(cast.casey, again(theirs))


@pytest.mark.parametrize(
    ("case", "arrives"),
    [("same", True), ("other office", False), ("other customer", False), ("participant", False), ("assignee", False),
     ("both take part", True)],
)  # fmt: skip
def test_mailed_answer_arrives_where_no_more_people_read_it(
    cast: Cast, target: Ticket, case: str, arrives: bool
) -> None:
    if case == "other office":
        target = opened(cast.casey, cast.orders)
    if case == "other customer":
        target = opened(cast.greta, cast.billing)
        add_participant(target, by=cast.bao, person=cast.casey)
    if case in ("participant", "both take part"):
        add_participant(target, by=cast.bao, person=cast.greta)
    if case == "both take part":
        add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    if case == "assignee":
        services.update_ticket(target, by=cast.bao, values={"assigned_to": cast.emil})
    ticket = merged(cast, target, by=cast.ada)
    assert policies.ticket_of_answer(cast.casey, ticket) == (target if arrives else ticket)
    arrived = policies.ticket_of_answer(cast.casey, ticket)
    services.add_reply(arrived, by=cast.casey, message="By mail", source=Source.MAIL)
    assert again(ticket).is_merged is arrives
    assert again(arrived).status == cast.status("Open")


def test_deleted_target_leaves_a_closed_ticket(cast: Cast, target: Ticket) -> None:
    merged(cast, target)
    services.delete_ticket(target, by=cast.ada)
    ticket = again(cast.ticket)
    assert (ticket.is_merged, ticket.status.is_closed) == (False, True)
    cast.reply(cast.casey, "Here again")
    assert again(ticket).status == cast.status("Open")


def test_deleted_status_is_replaced_on_merged_tickets_too(cast: Cast, target: Ticket) -> None:
    status = Status.objects.create(name="Done", is_closed=True, order=99)
    merged(cast, target)
    assert replace_batch(cast.status("Closed"), status, by=cast.ada) == 1
    assert again(cast.ticket).status == status


def test_merge_changes_nothing_that_readers_of_the_other_ticket_see(cast: Cast, theirs: Ticket) -> None:
    before = again(theirs)
    merged(cast, theirs, by=cast.ada)
    after = again(theirs)
    for name in ("staff_seq", "public_seq", "updated_at", "public_updated_at", "version", "status_id"):
        assert getattr(after, name) == getattr(before, name)
    assert before.timeline.count() == after.timeline.count()


def test_closed_status_is_needed(cast: Cast, target: Ticket) -> None:
    Status.objects.filter(is_closed=True).update(is_closed=False)
    with pytest.raises(ValidationError, match="counts as closed"):
        merged(cast, target)


def merge_page(user: User, method: str = "get", **values: Any) -> Any:
    return getattr(signed_in(user), method)("/tickets/merge/", values)


def test_page_suggests_open_tickets_of_the_customer(cast: Cast, target: Ticket, theirs: Ticket) -> None:
    closed = opened(cast.casey, cast.billing, "Old")
    services.update_ticket(closed, by=cast.bao, values={"status": cast.status("Closed")})
    elsewhere = opened(cast.casey, cast.orders, "Elsewhere")
    page = merge_page(cast.bao, tickets=cast.ticket.uuid)
    shown = [each.reference in page.text for each in (target, closed, elsewhere, theirs)]
    assert (page.status_code, shown) == (200, [True, False, False, False])


def test_preview_says_who_sees_what_and_changes_nothing(cast: Cast, target: Ticket, theirs: Ticket) -> None:
    page = merge_page(cast.bao, tickets=cast.ticket.uuid, named=target.reference).text
    assert "</bdi> reads" in page
    assert "take part" not in page
    page = merge_page(cast.ada, tickets=cast.ticket.uuid, into=theirs.uuid).text
    for sentence in (
        "sees nothing of it: their answer reopens",
        "different offices",
        "Let this customer take part",
    ):
        assert sentence in page
    assert not Ticket.objects.exclude(merged_into=None).exists()


def test_page_merges_the_selection_and_leads_to_the_ticket(cast: Cast, target: Ticket) -> None:
    third = opened(cast.casey, cast.billing, "Third")
    selected = [str(each.uuid) for each in (cast.ticket, target, third)]
    choice = merge_page(cast.bao, "post", tickets=selected)  # of the list
    assert (choice.status_code, "csrf" in choice["Location"]) == (302, False)
    page = signed_in(cast.bao).get(choice["Location"]).text
    assert all(each.reference in page for each in (cast.ticket, target, third))
    done = merge_page(cast.bao, "post", tickets=selected, into=target.uuid, confirmed="on")
    assert done["Location"] == target.get_absolute_url()
    assert set(Ticket.objects.filter(merged_into=target)) == {cast.ticket, third}


def test_ticket_that_one_may_not_change_is_refused_as_an_unknown_one(cast: Cast, theirs: Ticket) -> None:
    own = opened(cast.bao, cast.orders, "Chair")
    answers = set()
    for values in (
        {"named": "ZZZ-ZZZZ"},
        {"named": theirs.reference},
        {"named": own.reference},
        {"into": theirs.uuid},
    ):
        for method in ("get", "post"):
            page = merge_page(cast.bao, method, tickets=cast.ticket.uuid, confirmed="on", **values)
            answers.add((page.status_code, "None of the tickets that you can change" in page.text))
    assert answers == {(422, True)}
    assert merge_page(cast.bao, tickets=theirs.uuid).status_code == 404
    assert merge_page(cast.casey, tickets=cast.ticket.uuid).status_code == 403


def test_page_shows_why_a_merge_is_refused(cast: Cast, target: Ticket) -> None:
    merged(cast, target)
    third = opened(cast.casey, cast.billing, "Third")
    page = merge_page(cast.bao, "post", tickets=third.uuid, into=cast.ticket.uuid, confirmed="on")
    assert (page.status_code, "was merged itself" in page.text) == (422, True)


def test_customer_who_cannot_be_added_is_a_reason_that_the_page_shows(cast: Cast, theirs: Ticket) -> None:
    User.objects.filter(pk=cast.casey.pk).update(is_active=False)
    values = {"tickets": cast.ticket.uuid, "into": theirs.uuid, "confirmed": "on"}
    page = merge_page(cast.ada, "post", **values, add_customers="on")
    assert (page.status_code, "This account is deactivated." in page.text) == (422, True)
    assert not again(cast.ticket).is_merged


def test_customers_are_added_by_the_choice_in_the_preview(cast: Cast, theirs: Ticket) -> None:
    values = {"tickets": cast.ticket.uuid, "into": theirs.uuid, "confirmed": "on"}
    assert merge_page(cast.ada, "post", **values, add_customers="on").status_code == 302
    assert policies.takes_part(cast.casey, again(theirs))
    page = signed_in(cast.casey).get(cast.ticket.get_absolute_url()).text
    assert f">{theirs.reference}</span>" in page
    assert 'class="dock" hidden' in page


def test_section_has_the_messages_under_the_policy_of_the_merged_ticket(cast: Cast, target: Ticket) -> None:
    cast.reply(cast.bao, "Public answer")
    cast.reply(cast.bao, "Hidden note", internal=True)
    ticket = merged(cast, target)
    for person, number in ((cast.dana, 3), (cast.casey, 2)):
        (section,) = signed_in(person).get(f"{target.get_absolute_url()}merges/").json()["merge"]["merged"]
        assert (section["reference"], section["number"]) == (ticket.reference, number)
        messages = signed_in(person).get(f"{ticket.get_absolute_url()}messages/").json()["messages"]
        assert len(messages) == number
        assert ("Hidden note" in str(messages)) is (person == cast.dana)
    assert signed_in(cast.emil).get(f"{ticket.get_absolute_url()}messages/").status_code == 404


def test_merge_is_undone_from_either_page(cast: Cast, target: Ticket) -> None:
    for page in (cast.ticket, target):
        merged(cast, target)
        address = f"{page.get_absolute_url()}merges/undo/"
        values = {"ticket": str(cast.ticket.uuid)}
        assert signed_in(cast.casey).post(address, values).status_code == 403
        assert again(cast.ticket).is_merged
        assert signed_in(cast.bao).post(address, values).status_code == 302
        assert not again(cast.ticket).is_merged


def test_customer_of_both_is_led_on_and_cannot_undo(cast: Cast, target: Ticket) -> None:
    merged(cast, target)
    merge = signed_in(cast.casey).get(f"{cast.ticket.get_absolute_url()}merges/").json()["merge"]
    assert (merge["is_merged"], merge["into"]["reference"], merge["into"]["can_undo"]) == (
        True,
        target.reference,
        False,
    )


def test_draft_of_a_merged_ticket_stays_on_its_page(cast: Cast, target: Ticket) -> None:
    save_draft(by=cast.bao, ticket=cast.ticket, content=Content("Half a sentence"), base=0)
    merged(cast, target)
    page = signed_in(cast.bao).get(cast.ticket.get_absolute_url()).text
    assert "Half a sentence" in page
    assert 'class="dock" hidden' not in page
