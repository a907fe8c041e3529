"""Editing: the author changes a message for a while, readers see that, and staff keep the earlier texts."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.tickets.privacy.test_export import exported
from tickets import services
from tickets.models import Reply, SearchText
from tickets.notifications.records import Notification
from tickets.submissions import state_of

pytestmark = pytest.mark.django_db


def browser(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


def edit(reply: Reply, by: object, message: str = "Better", **values: object) -> Reply:
    return services.edit_reply(reply, by=by, message=message, **values)


def address(reply: Reply, part: str = "edit") -> str:
    return f"/tickets/{reply.ticket.uuid}/replies/{reply.pk}/{part}/"


def test_author_changes_text_html_and_what_search_finds(cast: Cast) -> None:
    for author in (cast.casey, cast.bao):
        reply = cast.reply(author, "A wallrus")
        before = reply.number
        edit(reply, author, "\n  A **walrus**\n")
        reply.refresh_from_db()
        assert (reply.message, reply.number) == ("  A **walrus**", before)
        assert "<strong>walrus</strong>" in reply.html
        assert reply.edited_at is not None
        assert "walrus" in SearchText.objects.get(reply=reply).text
        assert [each.message for each in reply.revisions.all()] == ["A wallrus"]


def test_the_same_text_changes_nothing_and_an_empty_one_is_refused(cast: Cast) -> None:
    reply = cast.reply(cast.bao, "Done")
    assert edit(reply, cast.bao, "Done\n").edited_at is None
    with pytest.raises(ValidationError):
        edit(reply, cast.bao, " \n")
    assert reply.revisions.count() == 0


def test_only_the_author_edits_while_they_may_write(cast: Cast) -> None:
    reply, note = cast.reply(cast.bao, "Reply"), cast.reply(cast.bao, "Note", internal=True)
    for other in (cast.ada, cast.dana, cast.casey):
        with pytest.raises(PermissionDenied):
            edit(reply, other)
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})
    for message in (reply, note):
        with pytest.raises(PermissionDenied):
            edit(message, cast.bao)
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.billing})
    assert edit(note, cast.bao).message == edit(reply, cast.bao).message == "Better"


@pytest.mark.parametrize(("minutes", "age", "may"), [(15, 14, True), (15, 15, False), (1, 2, False), (0, 0, False)])
def test_time_to_edit_is_a_setting(cast: Cast, settings: object, minutes: int, age: int, may: bool) -> None:
    settings.REPLY_EDIT_MINUTES = minutes
    reply = cast.reply(cast.bao, "Reply")
    Reply.objects.filter(pk=reply.pk).update(created_at=timezone.now() - timedelta(minutes=age))
    page = browser(cast.bao).get(cast.ticket.get_absolute_url()).text
    assert (f'href="{address(reply)}" title="Edit" >' in page) == may
    if may:
        edit(reply, cast.bao)
    else:
        with pytest.raises(PermissionDenied):
            edit(reply, cast.bao)
        answer = browser(cast.bao).post(address(reply), {"message": "Too late", "seen": state_of(reply)})
        assert (answer.status_code, "Too late" in answer.text) == (403, True)


def test_form_keeps_a_text_that_meets_another_version(cast: Cast) -> None:
    reply, client = cast.reply(cast.bao, "First"), browser(cast.bao)
    seen = client.get(address(reply)).context["form"]["seen"].value()
    edit(reply, cast.bao, "Second")
    answer = client.post(address(reply), {"message": "Third", "seen": seen})
    assert (answer.status_code, Reply.objects.get(pk=reply.pk).message) == (409, "Second")
    assert "Second" in answer.text
    assert "Third" in answer.text
    again = client.post(address(reply), {"message": "Third", "seen": answer.context["form"]["seen"].value()})
    assert again.url == f"{cast.ticket.get_absolute_url()}?reply={reply.pk}#reply-{reply.pk}"
    assert [each.message for each in reply.revisions.all()] == ["First", "Second"]


def test_text_for_a_note_does_not_reach_its_customer_when_it_is_published_meanwhile(cast: Cast) -> None:
    note, client = cast.reply(cast.bao, "Note", internal=True), browser(cast.bao)
    seen = client.get(address(note)).context["form"]["seen"].value()
    services.change_visibility(note, by=cast.dana, internal=False)
    assert client.post(address(note), {"message": "SECRET", "seen": seen}).status_code == 409
    assert client.post(address(note), {"message": "SECRET"}).status_code == 409
    assert "SECRET" not in ApiClient(cast.casey).get(f"tickets/{cast.ticket.uuid}/replies/").text


def test_published_note_does_not_say_that_it_was_edited_before(cast: Cast) -> None:
    note = cast.reply(cast.bao, "SECRET", internal=True)
    edit(note, cast.bao, "Public")
    services.change_visibility(note, by=cast.bao, internal=False)
    [shown] = ApiClient(cast.casey).get(f"tickets/{cast.ticket.uuid}/replies/").json()["results"]
    assert (shown["message"], shown["edited_at"]) == ("Public", None)
    lines = ApiClient(cast.casey).get(f"tickets/{cast.ticket.uuid}/timeline/").json()["results"]
    assert [line["action"] for line in lines] == ["created", "replied"]
    assert "SECRET" in browser(cast.bao).get(address(note, "versions")).text


def test_everyone_sees_that_it_was_edited_and_staff_what_it_was(cast: Cast) -> None:
    reply = cast.reply(cast.casey, "My PIN is 4711")
    edit(reply, cast.casey, "My order is late")
    for person in (cast.casey, cast.bao):
        page = browser(person).get(cast.ticket.get_absolute_url()).text
        assert '<span class="edited" data-if="edited_at" >' in page
        assert "edited a message" in page
        assert "4711" not in page
    assert "4711" in browser(cast.bao).get(address(reply, "versions")).text
    assert browser(cast.casey).get(address(reply, "versions")).status_code == 403


def test_form_sent_again_after_an_edit_makes_no_second_reply(cast: Cast) -> None:
    key = uuid4()
    reply = services.add_reply(cast.ticket, by=cast.bao, message="Draft", key=key)
    edit(reply, cast.bao, "Done")
    assert services.add_reply(cast.ticket, by=cast.bao, message="Draft", key=key) == reply
    assert Reply.objects.count() == 1


def test_edit_does_not_reopen_or_notify(cast: Cast) -> None:
    reply = cast.reply(cast.casey, "Thank you")
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    before = Notification.objects.count()
    edit(reply, cast.casey, "Thanks")
    cast.ticket.refresh_from_db()
    assert (cast.ticket.status.name, Notification.objects.count()) == ("Closed", before)


def test_api_takes_one_field_and_the_version_of_staff(cast: Cast) -> None:
    reply = cast.reply(cast.bao, "Draft")
    path, program = f"tickets/{cast.ticket.uuid}/replies/{reply.pk}/", ApiClient(cast.bao)
    tag = program.get(path).headers["ETag"]
    edited = program.patch(path, {"message": "Done"}, If_Match=tag)
    assert (edited.status_code, edited.json()["message"]) == (200, "Done")
    assert edited.headers["ETag"] != tag
    assert program.patch(path, {"message": "Lost"}, If_Match=tag).status_code == 412
    assert program.patch(path, {"is_internal": True}, If_Match=tag).status_code == 412
    for body in ({}, {"message": "x", "is_internal": True}, {"message": " "}):
        assert program.patch(path, body).status_code == 422
    assert Reply.objects.get().message == "Done"


def test_customers_cannot_try_versions_which_count_notes(cast: Cast) -> None:
    reply = cast.reply(cast.casey, "Mine")
    path = f"tickets/{cast.ticket.uuid}/replies/{reply.pk}/"
    program = ApiClient(cast.casey)
    assert "ETag" not in program.get(path).headers
    assert program.patch(path, {"message": "x"}, If_Match=f'"{reply.version}"').status_code == 412
    assert program.patch(path, {"message": "x"}).status_code == 200


def test_export_has_the_earlier_versions_of_own_messages_only(cast: Cast) -> None:
    edit(cast.reply(cast.casey, "Mine before"), cast.casey, "Mine")
    edit(cast.reply(cast.bao, "Bao before"), cast.bao, "Answer")
    text = exported(cast.casey)["text"].decode()
    assert "Mine before" in text
    assert "Bao before" not in text
    assert "Bao before" in exported(cast.bao)["text"].decode()
