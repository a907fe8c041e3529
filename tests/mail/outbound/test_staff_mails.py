"""Staff receive what concerns their tickets; notes reach staff of the ticket only."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import DeskSettings, User
from mail.models import OutgoingMail, preferences
from tests.mail.outbound.test_customer_mails import html_of, open_ticket, sent
from tests.support.jobs import run_due_jobs
from tickets import reading, services
from tickets.actors import Cause, System
from tickets.models import NotificationKind, Ticket
from tickets.snooze.services import end_due_snooze

pytestmark = pytest.mark.django_db


def assign(cast, user, by="ada"):
    services.update_ticket(cast.ticket, by=getattr(cast, by), values={"assigned_to": user})


def recipients(messages):
    return sorted(message.to[0].partition("@")[0] for message in messages)


def test_new_ticket_is_mailed_to_the_agents_of_its_office(cast):
    ticket = open_ticket(cast)
    messages = sent()
    assert recipients(messages) == ["bao", "casey", "dana"]
    [to_bao] = [message for message in messages if message.to == ["bao@example.com"]]
    assert "New ticket of Casey Rivers in Billing:" in to_bao.body
    assert to_bao.extra_headers["Auto-Submitted"] == "auto-generated"
    services.update_ticket(ticket, by=cast.ada, values={"office": cast.orders})
    assert recipients(sent()) == ["emil"]


def test_assignment_is_mailed_to_an_assignee_who_did_not_take_it(cast):
    assign(cast, cast.bao, by="bao")
    assert sent() == []
    assign(cast, cast.dana)
    assert recipients(sent()) == ["dana"]


def test_return_of_a_snoozed_ticket_is_mailed_to_who_snoozed_it(cast):
    services.update_ticket(cast.ticket, by=cast.bao, values={"snoozed_until": timezone.now() + timedelta(hours=1)})
    assert sent() == []
    Ticket.objects.update(snoozed_until=timezone.now())
    end_due_snooze(cast.ticket, by=System(Cause.SCHEDULE))
    [message] = sent()
    assert (message.to, "This ticket of Casey Rivers was snoozed until now:" in message.body) == (
        ["bao@example.com"],
        True,
    )


def test_only_the_latest_assignee_is_notified(cast):
    for user in (cast.bao, cast.dana, cast.bao):
        assign(cast, user)
    assert recipients(sent()) == ["bao"]


def test_customers_reply_is_mailed_to_the_assignee_or_else_the_office(cast):
    cast.reply(cast.casey, "Anybody there?")
    assert recipients(sent()) == ["bao", "dana"]
    assign(cast, cast.dana, by="dana")
    cast.reply(cast.casey, "Thank you")
    [message] = sent()
    assert message.to == ["dana@example.com"]
    assert "Casey Rivers replied:" in message.body


def test_note_is_mailed_to_the_assignee_and_names_no_message_of_its_own(cast):
    assign(cast, cast.dana, by="dana")
    note = cast.reply(cast.bao, "Between *us*", internal=True)
    [message] = sent()
    assert message.to == ["dana@example.com"]
    assert "<em>us</em>" in html_of(message)
    cast.reply(cast.bao, "For all")
    messages = sent()
    assert recipients(messages) == ["casey"]
    text = messages[0].message().as_string()
    assert message.extra_headers["Message-ID"] not in text
    assert str(note.pk) not in text


def unassigned(cast):
    assign(cast, None)
    cast.billing.agents.remove(cast.dana)


def demoted(cast):
    User.objects.filter(pk=cast.dana.pk).update(role="customer")


def moved(cast):
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders, "assigned_to": None})


@pytest.mark.parametrize("change", [unassigned, demoted, moved])
def test_note_is_not_mailed_to_staff_who_lost_the_ticket(cast, change):
    assign(cast, cast.dana, by="dana")
    cast.reply(cast.bao, "kryptonite", internal=True)
    change(cast)
    assert "kryptonite" not in "".join(message.message().as_string() for message in sent())


def test_agent_who_asked_receives_replies_as_a_customer(cast):
    ticket = open_ticket(cast, by=cast.bao, office=cast.orders)
    sent()
    services.add_reply(ticket, by=cast.emil, message="Note", internal=True)
    services.add_reply(ticket, by=cast.emil, message="Reply")
    [message] = sent()
    assert (message.to, "Reply" in message.body) == (["bao@example.com"], True)


def test_closing_is_mailed_to_the_customer_if_the_site_wants_it(cast):
    def close(status="Closed"):
        services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status(status)})

    close()
    [message] = sent()
    assert "Your ticket was closed." in message.body
    close("Open")
    DeskSettings(mails_closing=False).save()
    close()
    assert sent() == []


def test_closed_ticket_that_was_opened_again_meanwhile_is_not_mailed(cast):
    for status in ("Closed", "Open"):
        services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status(status)})
    assert sent() == []


# Preferences


def test_person_receives_what_they_chose_also_if_they_choose_it_while_it_is_queued(cast):
    client = Client()
    client.force_login(cast.bao)
    page = client.get("/profile/mails/")
    assert set(page.context["form"].fields) == set(NotificationKind.values)
    choice = dict.fromkeys(NotificationKind.values, "now") | {"new_ticket": "never", "note": "unseen"}
    open_ticket(cast)
    assert client.post("/profile/mails/", choice).status_code == 302
    assert recipients(sent()) == ["casey", "dana"]
    open_ticket(cast)
    assert recipients(sent()) == ["casey", "dana"]
    assert client.post("/profile/mails/", choice | {"status": "unseen"}).status_code == 422


def test_message_that_was_seen_on_the_page_is_not_mailed(cast):
    seen, unseen = (cast.reply(cast.bao, text) for text in ("Seen", "Unseen"))
    run_due_jobs()
    assert mail.outbox == []
    reading.mark_read(cast.ticket, by=cast.casey, up_to=seen)
    [message] = sent()
    assert "Unseen" in message.body
    assert OutgoingMail.objects.get(reply=seen).state == "cancelled"
    assert OutgoingMail.objects.get(reply=unseen).state == "sent"


def test_mail_right_away_does_not_ask_whether_it_was_seen(cast):
    preferences.set_modes(cast.casey, {NotificationKind.REPLY: "now"})
    reading.mark_read(cast.ticket, by=cast.casey, up_to=cast.reply(cast.bao, "Seen"))
    run_due_jobs()
    assert [message.to for message in mail.outbox] == [["casey@example.com"]]


def test_new_ticket_that_an_agent_has_opened_is_not_mailed_to_them(cast):
    reading.mark_read(open_ticket(cast), by=cast.bao, up_to=None)
    assert recipients(sent()) == ["casey", "dana"]


def test_customer_is_offered_their_own_events_only(cast):
    client = Client()
    client.force_login(cast.casey)
    assert set(client.get("/profile/mails/").context["form"].fields) == {"receipt", "reply", "status", "joined"}


def test_mail_can_be_turned_off_with_one_click(cast):
    cast.reply(cast.bao, "Answer")
    [message] = sent()
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = message.extra_headers["List-Unsubscribe"].strip("<>")
    assert address.startswith("https://desk.example.com/mails/off/")
    assert address in message.body
    path, client = address.removeprefix("https://desk.example.com"), Client(enforce_csrf_checks=True)
    assert client.get(path).status_code == 200
    assert preferences.modes_of(cast.casey)[NotificationKind.REPLY] == "unseen"
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    cast.reply(cast.bao, "Another")
    assert sent() == []
    assert client.get(path[:-2] + "/").status_code == 404
    User.objects.filter(pk=cast.casey.pk).update(is_active=False)
    assert client.post(path).status_code == 404
