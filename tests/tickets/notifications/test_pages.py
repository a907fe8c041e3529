"""The bell and the page of notifications."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import DeskSettings
from tests.support.cast import Cast
from tickets import services
from tickets.models import Notification, TicketSubscription
from tickets.notifications import preferences, records, subscriptions

pytestmark = pytest.mark.django_db


@pytest.fixture
def bao(cast: Cast) -> Client:
    """Return the browser of Bao, who is notified of nothing yet."""
    Notification.objects.all().delete()
    client = Client()
    client.force_login(cast.bao)
    return client


def latest(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/notifications/latest/").json()["notifications"]
    return found


def unread(client: Client) -> int:
    number: int = client.get("/notifications/count/").json()["unread"]
    return number


def test_bell_shows_the_number_on_every_page(cast, bao):
    assert 'data-unread="0"' in bao.get("/profile/").text
    cast.reply(cast.casey, "Hello?")
    assert 'data-unread="1"' in bao.get("/profile/").text


def test_number_is_bounded(cast, bao):
    rows = [
        Notification(user=cast.bao, kind="customer_reply", ticket=cast.ticket, occurrence=str(number))
        for number in range(120)
    ]
    Notification.objects.bulk_create(rows)
    assert unread(bao) == 100
    assert ">99+<" in bao.get("/profile/").text


def test_latest_lead_to_their_message_without_its_text(cast, bao):
    reply = cast.reply(cast.casey, "My card is 4111")
    [item] = latest(bao)
    assert item["url"] == f"/tickets/{cast.ticket.uuid}/#reply-{reply.pk}"
    assert (item["kind"], item["by"]["name"], item["is_read"]) == ("customer_reply", "Casey Rivers", False)
    assert "card" not in str(item)


def test_page_lists_them_and_marks_one_or_all_read_without_scripts(cast, bao):
    for message in ("One", "Two", "Three"):
        cast.reply(cast.casey, message)
    services.open_ticket(by=cast.greta, subject="Chair", content="Broken", office=cast.billing)
    page = bao.get("/notifications/").text
    assert page.count("3</span> new replies in “<bdi") == 1
    assert page.count('New ticket “<bdi data-text="ticket.subject">Chair') == 1
    bao.post("/notifications/read/", {"id": latest(bao)[1]["id"], "earlier": ""})
    assert unread(bao) == 1
    assert bao.post("/notifications/read/").headers["Location"] == "/notifications/"
    assert unread(bao) == 0


def test_ids_that_are_wrong_or_of_others_mark_nothing(cast, bao):
    cast.reply(cast.casey, "Hello?")
    of_dana = records.listed(cast.dana).get()
    for text in ("x", str(of_dana.pk)):
        bao.post("/notifications/read/", {"id": text})
    assert (unread(bao), records.unread_number(cast.dana)) == (1, 1)


def test_ticket_page_marks_what_names_no_message(cast, bao):
    Notification.objects.create(user=cast.bao, kind="assigned", ticket=cast.ticket, occurrence="x")
    assert 'data-notified="true"' in bao.get(f"/tickets/{cast.ticket.uuid}/").text
    bao.post(f"/tickets/{cast.ticket.uuid}/read/")
    assert 'data-notified="false"' in bao.get(f"/tickets/{cast.ticket.uuid}/").text
    assert unread(bao) == 0


def test_customer_sees_staff_under_the_name_that_the_site_shows(cast):
    DeskSettings(staff_names="office").save()
    cast.reply(cast.bao, "Done")
    client = Client()
    client.force_login(cast.casey)
    assert latest(client)[0]["by"]["name"] == "Billing"
    assert "Bao Nguyen" not in client.get("/notifications/").text


# Following and muting


def subscribe(client: Client, cast: Cast, level: str) -> int:
    return client.post(f"/tickets/{cast.ticket.uuid}/subscription/", {"level": level}).status_code


def test_staff_follow_and_mute_and_end_both(cast, bao):
    page = f"/tickets/{cast.ticket.uuid}/"
    assert bao.get(page).text.count('aria-pressed="false"') >= 2
    for level in ("followed", "muted", ""):
        assert subscribe(bao, cast, level) == 302
        assert subscriptions.level_of(cast.bao, cast.ticket) == level
        assert ('value="" aria-pressed="true"' in bao.get(page).text) == bool(level)


def test_customer_mutes_and_cannot_follow(cast):
    casey, greta = Client(), Client()
    casey.force_login(cast.casey)
    greta.force_login(cast.greta)
    assert (subscribe(casey, cast, "followed"), subscribe(casey, cast, "x")) == (403, 422)
    assert (subscribe(casey, cast, "muted"), subscribe(greta, cast, "muted")) == (302, 404)
    assert [str(each) for each in TicketSubscription.objects.all()] == [f"{cast.casey.pk} muted"]
    assert 'data-level="followed"' not in casey.get(f"/tickets/{cast.ticket.uuid}/").text


# Preferences


def test_person_chooses_how_they_are_notified(cast, bao):
    page = bao.get("/profile/mails/")
    choices = {name: field.initial for name, field in page.context["form"].fields.items()}
    assert bao.post("/profile/mails/", choices | {"note-in_app": "on", "note-sound": "on"}).status_code == 302
    cast.reply(cast.casey, "Hello?")
    assert unread(bao) == 0
    assert records.unread_number(cast.dana) == 1
    wanted = preferences.alerts_of(cast.bao)
    assert wanted == {"note": ["sound"]}
    assert "{&quot;note&quot;: [&quot;sound&quot;]}" in bao.get("/profile/mails/").text


def test_sounds_are_off_and_desktop_notifications_on_until_a_person_chooses(cast):
    wanted = preferences.alerts_of(cast.bao)
    assert wanted["mention"] == wanted["customer_reply"] == ["desktop"]
    assert wanted["new_ticket"] == []
    assert preferences.alerts_of(cast.casey) == {"joined": ["desktop"], "reply": ["desktop"], "status": []}
