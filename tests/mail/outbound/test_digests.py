"""The daily summary has what its person may still read and has not seen, once."""

import re
from datetime import UTC, date, datetime

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import DeskSettings, User
from jobs import mail as smtp
from jobs.models import Job
from mail import tasks
from mail.models import OutgoingMail, preferences
from mail.outbound import deliveries, digests
from mail.outbound.threads import find_ticket
from tests.mail.outbound.test_customer_mails import html_of, open_ticket, sent
from tests.mail.outbound.test_staff_mails import demoted, moved
from tests.support.jobs import run_all_jobs, run_due_jobs
from tickets import reading, services
from tickets.models import NotificationKind
from tickets.notifications import records
from tickets.people.participants import add_participant

pytestmark = pytest.mark.django_db
Kind = NotificationKind


def digest_for(user, *kinds):
    preferences.set_modes(user, dict.fromkeys(kinds or [Kind.REPLY, Kind.STATUS], "digest"))


def states():
    return sorted(OutgoingMail.objects.filter(ticket__isnull=False).values_list("event", "state"))


def test_summary_is_one_mail_a_day_with_all_that_happened(cast):
    digest_for(cast.casey)
    second = open_ticket(cast)
    sent()
    cast.reply(cast.bao, "First **answer**")
    cast.reply(cast.bao, "Second answer")
    services.add_reply(second, by=cast.dana, message="About the parcel")
    run_due_jobs()
    assert mail.outbox == []  # neither before its hour
    [message] = sent()
    assert message.to == ["casey@example.com"]
    assert message.subject == "TIKM: 3 updates"
    for text in (message.body, html_of(message)):
        assert [line in text for line in ("First answer", "Second answer", "About the parcel")] == [True] * 3
        assert text.count(second.reference) == text.count(cast.ticket.reference) == 1
        assert f"https://desk.example.com{second.get_absolute_url()}" in text
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert message.reply_to == []
    assert find_ticket([message.extra_headers["Message-ID"]]) is None
    assert sent() == []
    for text in ("Third answer", "Fourth answer"):
        cast.reply(cast.bao, text)
    run_due_jobs()
    assert mail.outbox == []  # the day's mail was sent: that of the next day has them
    [later] = sent()
    assert [text in later.body for text in ("Third answer", "Fourth answer")] == [True, True]
    assert "First" not in later.body


def test_summary_is_sent_at_the_hour_in_the_time_zone_of_its_person(cast):
    cast.casey.time_zone = "America/New_York"
    DeskSettings(digest_hour=7).save()
    day, run_at = digests.due(cast.casey, datetime(2026, 7, 1, 10, 59, tzinfo=UTC))
    assert (day, run_at.astimezone(UTC)) == (date(2026, 7, 1), datetime(2026, 7, 1, 11, 1, tzinfo=UTC))
    day, run_at = digests.due(cast.casey, datetime(2026, 7, 1, 11, 0, tzinfo=UTC))
    assert (day, run_at.astimezone(UTC)) == (date(2026, 7, 2), datetime(2026, 7, 2, 11, 1, tzinfo=UTC))
    cast.casey.time_zone = "Atlantis/Center"
    assert digests.due(cast.casey, datetime(2026, 7, 1, 6, 59, tzinfo=UTC))[1].hour == 7


def test_what_was_seen_hidden_or_is_not_wanted_any_more_is_left_out(cast):
    digest_for(cast.casey)
    seen, hidden, gone = (cast.reply(cast.bao, text) for text in ("Seen", "Hidden", "Gone"))
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    cast.reply(cast.bao, "Kept")
    services.change_visibility(hidden, by=cast.bao, internal=True)
    services.delete_reply(gone, by=cast.ada)
    reading.mark_read(cast.ticket, by=cast.casey, up_to=seen)
    preferences.set_modes(cast.casey, {Kind.STATUS: "never"})
    [message] = sent()
    assert message.subject == "TIKM: 1 update"
    assert "Kept" in message.body
    text = message.message().as_string()
    assert [word in text for word in ("Seen", "Hidden", "Gone", "closed")] == [False] * 4


def test_change_that_the_page_has_shown_is_left_out(cast):
    digest_for(cast.casey)
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    records.mark_read(cast.casey)
    assert sent() == []
    assert states() == [("status", "cancelled")]


@pytest.mark.parametrize("change", [demoted, moved])
def test_note_is_not_in_the_summary_of_staff_who_lost_the_ticket(cast, change):
    services.update_ticket(cast.ticket, by=cast.dana, values={"assigned_to": cast.dana})
    digest_for(cast.dana, Kind.NOTE)
    cast.reply(cast.bao, "kryptonite", internal=True)
    change(cast)
    assert "kryptonite" not in "".join(message.message().as_string() for message in sent())


def test_staff_read_notes_in_their_summary_and_a_customer_none(cast):
    services.update_ticket(cast.ticket, by=cast.dana, values={"assigned_to": cast.dana})
    digest_for(cast.dana, Kind.NOTE)
    digest_for(cast.casey)
    cast.reply(cast.bao, "kryptonite", internal=True)
    cast.reply(cast.bao, "For all")
    bodies = {message.to[0]: message.body for message in sent()}
    assert "Bao Nguyen wrote an internal note" in bodies["dana@example.com"]
    assert "kryptonite" in bodies["dana@example.com"]
    assert "kryptonite" not in bodies["casey@example.com"]


def test_summary_is_in_the_language_of_its_person(cast):
    User.objects.filter(pk=cast.casey.pk).update(language="de")
    digest_for(cast.casey)
    cast.reply(cast.bao, "Antwort")
    [message] = sent()
    assert message.subject == "TIKM: 1 Neuigkeit"
    assert "Bao Nguyen hat geantwortet" in message.body


def test_summary_can_be_turned_off_with_one_click(cast):
    digest_for(cast.casey)
    cast.reply(cast.bao, "Answer")
    [message] = sent()
    address = message.extra_headers["List-Unsubscribe"].strip("<>")
    assert address in message.body
    path = address.removeprefix("https://desk.example.com")
    client = Client(enforce_csrf_checks=True)
    assert "Daily summary" in client.get(path).text
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    modes = preferences.modes_of(cast.casey)
    assert (modes[Kind.REPLY], modes[Kind.STATUS], modes[Kind.JOINED]) == ("never", "never", "now")


def test_participant_leaves_a_ticket_by_a_link_of_the_summary(cast):
    add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    digest_for(cast.greta)
    mine = services.open_ticket(by=cast.greta, subject="Chair", content="It broke", office=cast.billing)
    sent()
    for ticket in (cast.ticket, mine):
        services.add_reply(ticket, by=cast.bao, message="Answer")
    [message] = [each for each in sent() if each.to == ["greta@example.com"]]
    for text in (message.body, html_of(message)):
        [path] = re.findall(r"https://desk.example.com(/mails/leave/[^/]+/)", text)  # not of her own ticket
    assert "/mails/off/" in message.extra_headers["List-Unsubscribe"]
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert Client(enforce_csrf_checks=True).post(path).status_code == 200
    assert not cast.ticket.participants.exists()


def test_person_who_was_deactivated_receives_no_summary(cast):
    digest_for(cast.casey)
    cast.reply(cast.bao, "Answer")
    User.objects.filter(pk=cast.casey.pk).update(is_active=False)
    assert sent() == []


def test_summary_that_fails_shows_at_each_message_and_is_sent_again_as_a_whole(cast):
    digest_for(cast.casey)
    for text in ("One", "Two"):
        cast.reply(cast.bao, text)
    job = Job.objects.get(task="mail.send_digest")
    deliveries.record_digest_failure(job, "550 no such mailbox")
    Job.objects.filter(pk=job.pk).update(state="failed", run_at=None)
    assert states() == [("reply", "failed")] * 2
    assert deliveries.retry(OutgoingMail.objects.first())
    assert states() == [("reply", "queued")] * 2
    [message] = sent()
    assert states() == [("reply", "sent")] * 2
    assert deliveries.record_bounce([message.extra_headers["Message-ID"]], address="casey@example.com")
    assert states() == [("reply", "bounced")] * 2


def test_failed_summary_is_not_repeated_by_the_next_one(cast):
    digest_for(cast.casey)
    cast.reply(cast.bao, "One")
    job = Job.objects.get(task="mail.send_digest")
    deliveries.record_digest_failure(job, "The worker ended")
    OutgoingMail.objects.update(digest_day=date(2020, 1, 1))
    Job.objects.update(state="failed", run_at=None, key="digest of an earlier day")
    cast.reply(cast.bao, "Two")
    [message] = sent()
    assert "One" not in message.body
    assert "Two" in message.body


def test_what_was_committed_late_is_in_the_next_summary(cast):
    digest_for(cast.casey)
    cast.reply(cast.bao, "Late")
    OutgoingMail.objects.update(digest_day=date(2020, 1, 1))
    run_all_jobs()
    [message] = mail.outbox
    assert "Late" in message.body
    assert OutgoingMail.objects.get().ended_at <= timezone.now()


def test_summary_leaves_alone_what_an_earlier_one_is_about_to_send(cast, monkeypatch):
    digest_for(cast.casey)
    cast.reply(cast.bao, "One")
    day = str(OutgoingMail.objects.get().digest_day)
    deliver, person = smtp.deliver, str(cast.casey.pk)

    def deliver_amid_the_next(job, message):
        monkeypatch.undo()
        tasks.send_digest.function(job, user_id=person, day="2099-01-01", site_url="")
        deliver(job, message)

    monkeypatch.setattr(smtp, "deliver", deliver_amid_the_next)
    assert ["One" in message.body for message in sent()] == [True]
    assert OutgoingMail.objects.filter(digest_day=day, state="sent").count() == 1


def test_long_summary_says_how_much_is_left_out(cast, monkeypatch):
    monkeypatch.setattr(digests, "MAX_EVENTS", 1)
    digest_for(cast.casey)
    for text in ("One", "Two", "Three"):
        cast.reply(cast.bao, text)
    [message] = sent()
    assert "2 more updates are not listed here." in message.body
    assert "Two" not in message.body


def test_worker_that_is_killed_after_sending_sends_no_summary_again(cast, monkeypatch):
    digest_for(cast.casey)
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    with monkeypatch.context() as patched:
        patched.setattr(Job, "finish", lambda job: None)
        assert len(sent()) == 1
    assert sent() == []
    job = Job.objects.get(task="mail.send_digest")
    assert (job.state, states()) == ("failed", [("status", "sent")])
    assert job.retry()
    assert sent() == []
