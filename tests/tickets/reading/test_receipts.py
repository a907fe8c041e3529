"""Receipts: what is known of each message, who may know it, and which pages receive an event."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from mail.models import OutgoingMail
from mail.outbound import deliveries
from realtime.broadcasting import history
from tests.support.cast import Cast
from tickets import reading
from tickets.models import DeliveryMark, NotificationKind, ReadMark, Reply, Ticket
from tickets.models.reading import MAX_MOVES
from tickets.people.participants import add_participant
from tickets.reading.deliveries import mark_delivered
from tickets.reading.receipts import receipts_of

pytestmark = pytest.mark.django_db
UPDATED = "ticket.receipts.updated"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def receipt(cast: Cast, viewer: User, reply: Reply | None) -> Any:
    replies = [] if reply is None else [reply]
    return receipts_of(viewer, cast.ticket, replies)[None if reply is None else reply.pk]


def state(cast: Cast, viewer: User, reply: Reply | None) -> str:
    return str(receipt(cast, viewer, reply)["state"])


def readers(cast: Cast, viewer: User, reply: Reply | None) -> dict[str, str]:
    return {each["user"]["name"]: str(each["state"]) for each in receipt(cast, viewer, reply)["readers"]}


def read(cast: Cast, by: User, up_to: Reply | None = None) -> None:
    reading.mark_read(Ticket.objects.get(pk=cast.ticket.pk), by=by, up_to=up_to)


def events(user: User, ticket: Ticket, start: str) -> int:
    return [event["event"] for event in history.read(user, [ticket.channel], start).events].count(UPDATED)


def mail_about(reply: Reply, to: User, state: OutgoingMail.State = OutgoingMail.State.QUEUED) -> OutgoingMail:
    kind = NotificationKind.REPLY
    values = {"event": kind, "recipient": to, "ticket": reply.ticket, "reply": reply, "state": state}
    return OutgoingMail.objects.create(key=f"test {to.pk} {reply.pk}", **values)


def test_reply_is_saved_then_delivered_then_seen(cast):
    reply = cast.reply(cast.bao, "Done")
    assert state(cast, cast.bao, reply) == "saved"
    assert mark_delivered(reply, by=cast.casey)
    assert not mark_delivered(reply, by=cast.casey)
    assert readers(cast, cast.bao, reply) == {"Casey Rivers": "delivered"}
    before = timezone.now()
    read(cast, cast.casey, reply)
    assert state(cast, cast.dana, reply) == "seen"
    (casey,) = receipt(cast, cast.dana, reply)["readers"]
    assert casey["at"][:23] >= before.isoformat()[:23]
    assert (casey["user"]["name"], casey["state"]) == ("Casey Rivers", "seen")


def test_time_of_a_message_is_when_it_was_first_on_the_screen(cast):
    first = cast.reply(cast.bao, "One")
    read(cast, cast.casey, first)
    (before,) = receipt(cast, cast.bao, first)["readers"]
    second = cast.reply(cast.bao, "Two")
    read(cast, cast.casey, second)
    assert receipt(cast, cast.bao, first)["readers"] == [before]
    assert receipt(cast, cast.bao, second)["readers"][0]["at"] > before["at"]


def test_seen_message_stays_seen_when_it_is_marked_unread(cast):
    reply = cast.reply(cast.bao, "Done")
    read(cast, cast.casey, reply)
    (before,) = receipt(cast, cast.bao, reply)["readers"]
    reading.mark_unread(cast.ticket, by=cast.casey)
    assert receipt(cast, cast.bao, reply)["readers"] == [before]


def test_marks_of_before_receipts_have_no_time(cast):
    first = cast.reply(cast.bao, "One")
    ReadMark.objects.create(user=cast.casey, ticket=cast.ticket, number=first.number)
    second = cast.reply(cast.bao, "Two")
    read(cast, cast.casey, second)
    assert [receipt(cast, cast.bao, each)["readers"][0]["at"] is None for each in (first, second)] == [True, False]


def test_only_the_latest_moves_are_kept():
    mark = ReadMark(number=0)
    for number in range(1, MAX_MOVES + 3):
        mark.record_move(number, timezone.now())
    assert len(mark.moves) == MAX_MOVES
    assert mark.seen_time(1) is mark.seen_time(3) is None
    assert mark.seen_time(5) == mark.seen_time(5) != mark.seen_time(6)
    assert mark.seen_number == MAX_MOVES + 2


def test_customer_sees_that_support_has_seen_their_message_and_not_who(cast):
    reply = cast.reply(cast.casey, "Any news?")
    assert state(cast, cast.casey, reply) == "saved"
    read(cast, cast.bao, reply)
    assert receipt(cast, cast.casey, reply) == receipt(cast, cast.casey, None) == {"state": "seen", "readers": []}
    assert readers(cast, cast.dana, reply) == {"Bao Nguyen": "seen"}


def test_customer_sees_nothing_of_messages_of_others(cast):
    reply = cast.reply(cast.bao, "Done")
    read(cast, cast.casey, reply)
    read(cast, cast.dana, reply)
    assert receipts_of(cast.casey, cast.ticket, [reply]).keys() == {None}
    add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    mine = cast.reply(cast.casey, "Thanks")
    read(cast, cast.bao, mine)
    assert receipts_of(cast.greta, Ticket.objects.get(pk=cast.ticket.pk), [reply, mine]) == {}


def test_page_does_not_name_its_own_reader(cast):
    question, note = cast.reply(cast.casey, "Any news?"), cast.reply(cast.dana, "Secret", internal=True)
    before = signed_in(cast.bao).get(f"/tickets/{cast.ticket.uuid}/receipts/").json()
    read(cast, cast.bao, note)
    assert receipt(cast, cast.bao, question) is None
    assert receipt(cast, cast.bao, note) is None
    assert signed_in(cast.bao).get(f"/tickets/{cast.ticket.uuid}/receipts/").json() == before
    assert readers(cast, cast.dana, question) == readers(cast, cast.dana, note) == {"Bao Nguyen": "seen"}
    in_api = signed_in(cast.bao).get(f"/api/v1/tickets/{cast.ticket.uuid}/receipts/").json()["results"]
    named = {each["reply"]: [reader["user"]["name"] for reader in each["readers"]] for each in in_api}
    assert named == {None: ["Bao Nguyen"], str(question.pk): ["Bao Nguyen"], str(note.pk): ["Bao Nguyen"]}


def test_note_is_seen_by_staff_only(cast):
    note = cast.reply(cast.bao, "Secret", internal=True)
    last = cast.reply(cast.bao, "Done")
    read(cast, cast.casey, last)
    read(cast, cast.dana, last)
    assert readers(cast, cast.bao, note) == {"Dana Okafor": "seen"}
    assert readers(cast, cast.bao, last) == {"Casey Rivers": "seen", "Dana Okafor": "seen"}


def test_colleague_is_not_who_a_reply_is_for(cast):
    reply = cast.reply(cast.bao, "Done")
    read(cast, cast.dana, reply)
    assert state(cast, cast.bao, reply) == "saved"


def test_note_is_not_called_sent(cast):
    note = cast.reply(cast.bao, "Note", internal=True)
    assert receipt(cast, cast.bao, note) is None
    read(cast, cast.dana, note)
    assert state(cast, cast.bao, note) == "seen"


def test_hidden_read_marks_are_shown_to_no_one(cast):
    for person in (cast.casey, cast.bao):
        person.hides_read_marks = True
        person.save()
    question, answer = cast.reply(cast.casey, "Any news?"), cast.reply(cast.dana, "Done")
    read(cast, cast.bao, answer)
    read(cast, cast.casey, answer)
    assert not mark_delivered(answer, by=cast.casey)
    assert receipt(cast, cast.casey, question)["state"] == "saved"
    assert receipt(cast, cast.dana, question) is None
    assert readers(cast, cast.dana, answer) == {}
    User.objects.update(hides_read_marks=False)
    assert state(cast, cast.casey, question) == state(cast, cast.dana, answer) == "seen"


def test_hidden_online_status_hides_deliveries_from_before(cast):
    reply = cast.reply(cast.bao, "Done")
    assert mark_delivered(reply, by=cast.casey)
    cast.casey.hides_online = True
    cast.casey.save()
    assert readers(cast, cast.bao, reply) == {}


def test_delivery_to_staff_or_after_reading_is_not_recorded(cast):
    question, answer = cast.reply(cast.casey, "Any news?"), cast.reply(cast.bao, "Done")
    assert not mark_delivered(question, by=cast.bao)
    assert not mark_delivered(question, by=cast.casey)
    read(cast, cast.casey, answer)
    assert not mark_delivered(answer, by=cast.casey)
    assert not DeliveryMark.objects.exists()


@pytest.mark.parametrize(
    ("state_of_mail", "shown"), [("sent", "mailed"), ("failed", "failed"), ("bounced", "bounced")]
)
def test_mail_is_shown_as_its_own_record_says(cast, state_of_mail, shown):
    reply = cast.reply(cast.bao, "Done")
    mail_about(reply, cast.casey, OutgoingMail.State(state_of_mail))
    mail_about(reply, cast.dana, OutgoingMail.State.SENT)
    assert (state(cast, cast.bao, reply), readers(cast, cast.bao, reply)) == (shown, {"Casey Rivers": shown})
    assert receipts_of(cast.casey, cast.ticket, [reply]).keys() == {None}


def test_sent_mail_updates_the_pages_of_staff(live_cast):
    cast = live_cast
    mail = mail_about(cast.reply(cast.bao, "Done"), cast.casey)
    start = history.current_cursor()
    deliveries.change_state(mail, OutgoingMail.State.SENT)
    assert (events(cast.bao, cast.ticket, start), events(cast.casey, cast.ticket, start)) == (1, 0)


def test_customer_receives_an_event_only_when_their_own_message_was_seen(live_cast):
    cast, question = live_cast, live_cast.reply(live_cast.casey, "Any news?")
    read(cast, cast.bao, question)
    note = cast.reply(cast.dana, "Secret", internal=True)
    start = history.current_cursor()
    read(cast, cast.bao, note)
    assert (events(cast.dana, cast.ticket, start), events(cast.casey, cast.ticket, start)) == (1, 0)
    again = cast.reply(cast.casey, "Hello?")
    read(cast, cast.bao, again)
    assert (events(cast.dana, cast.ticket, start), events(cast.casey, cast.ticket, start)) == (2, 1)


def test_hidden_read_marks_send_no_event(live_cast):
    cast, question = live_cast, live_cast.reply(live_cast.casey, "Any news?")
    start = history.current_cursor()
    cast.bao.hides_read_marks = True
    cast.bao.save()
    read(cast, cast.bao, question)
    read(cast, cast.dana, question)
    assert events(cast.dana, cast.ticket, start) == events(cast.casey, cast.ticket, start) == 1


def test_page_reports_what_has_reached_it(cast):
    reply, note = cast.reply(cast.bao, "Done"), cast.reply(cast.bao, "Secret", internal=True)
    address = f"/tickets/{cast.ticket.uuid}/delivered/"
    casey = signed_in(cast.casey)
    assert casey.post(address, {"reply": str(note.pk)}).status_code == 404
    assert casey.post(address, {"reply": "x"}).status_code == 404
    assert signed_in(cast.greta).post(address, {"reply": str(reply.pk)}).status_code == 404
    assert not DeliveryMark.objects.exists()
    assert casey.post(address, {"reply": str(reply.pk)}).status_code == 204
    assert readers(cast, cast.bao, reply) == {"Casey Rivers": "delivered"}


def test_page_shows_receipts_and_asks_for_them_again(cast):
    reply = cast.reply(cast.bao, "Done")
    read(cast, cast.casey, reply)
    page = signed_in(cast.bao).get(cast.ticket.get_absolute_url()).text
    assert "Seen by <bdi>Casey Rivers</bdi>" in page
    later = cast.reply(cast.casey, "Thanks")
    read(cast, cast.bao, later)
    address = f"/tickets/{cast.ticket.uuid}/receipts/"
    found = signed_in(cast.casey).get(f"{address}?oldest={later.pk}").json()["receipts"]
    assert found.keys() == {"opening", str(later.pk)}
    assert "Seen by support" in found[str(later.pk)]
    assert "Bao" not in str(found)
    assert signed_in(cast.bao).get(address).json()["receipts"].keys() == {"opening", str(reply.pk), str(later.pk)}
    assert signed_in(cast.greta).get(address).status_code == 404
