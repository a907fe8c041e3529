"""Mentions of colleagues in internal notes."""

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from realtime import Audience
from tests.support.cast import Cast
from tests.support.jobs import run_all_jobs
from tickets import payloads, services
from tickets.models import Mention, Notification, Reply, TicketSubscription
from tickets.notifications import records
from tickets.notifications.mentions import with_chips

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_before(cast: Cast) -> None:
    Notification.objects.all().delete()


def note(cast: Cast, text: str, *people: User, internal: bool = True) -> Reply:
    ids = [person.pk for person in people]
    return services.add_reply(cast.ticket, by=cast.bao, message=text, internal=internal, mentions=ids)


def kinds(user: User) -> list[str]:
    return [each.kind for each in records.listed(user)]


def test_mentioned_colleague_is_notified_once_and_mailed(cast):
    services.update_ticket(cast.ticket, by=cast.dana, values={"assigned_to": cast.dana})
    TicketSubscription.objects.create(user=cast.dana, ticket=cast.ticket, level="muted")
    note(cast, "Please look, @Dana Okafor", cast.dana)
    assert kinds(cast.dana) == ["mention"]
    run_all_jobs()
    [message] = mail.outbox
    assert message.to == ["dana@example.com"]
    assert "Bao Nguyen mentioned you in an internal note" in message.body


def test_mention_counts_by_key_and_only_with_the_name_in_the_text(cast):
    note(cast, "Please look, @Dana Okafor")
    note(cast, "Please look", cast.dana)
    assert not Mention.objects.exists()


@pytest.mark.parametrize("name", ["emil", "casey", "greta", "bao"])
def test_mention_of_a_person_who_is_not_staff_of_the_ticket_does_nothing(cast, name):
    person = getattr(cast, name)
    note(cast, f"See @{person.name}", person)
    assert (Mention.objects.count(), kinds(person)) == (0, [])


def test_public_reply_mentions_no_one(cast):
    note(cast, "@Dana Okafor will help", cast.dana, internal=False)
    assert not Mention.objects.exists()


def test_note_shows_a_mention_to_staff(cast):
    reply = note(cast, "Ask **@Dana Okafor** and @Emil Sørensen", cast.dana)
    shown = payloads.reply_payload(reply, Audience.STAFF)["message_html"]
    assert shown.count('class="mention"') == 1
    assert '<strong><span class="mention">@Dana Okafor</span></strong>' in shown
    page = Client()
    page.force_login(cast.dana)
    assert shown in page.get(f"/tickets/{cast.ticket.uuid}/").text
    services.change_visibility(reply, by=cast.bao, internal=False)
    published = payloads.reply_payload(Reply.objects.get(), Audience.PUBLIC)
    assert "@Dana Okafor" in published["message_html"]
    assert "mention" not in published["message_html"]


def test_attributes_have_no_chips():
    html = """<a href="/x" title="a > @Dana">@Dana, @Danae &amp; @O'B &lt;</a>"""
    chip, other = (f'<span class="mention">{name}</span>' for name in ("@Dana", "@O'B &lt;"))
    shown = f'<a href="/x" title="a > @Dana">{chip}, @Danae &amp; {other}</a>'
    assert with_chips(html, ["Dana", "O'B <"]) == shown


def test_page_offers_the_staff_of_the_ticket_to_its_staff_only(cast):
    def offered(user: User) -> list[str] | int:
        client = Client()
        client.force_login(user)
        answer = client.get(f"/tickets/{cast.ticket.uuid}/colleagues/")
        if answer.status_code != 200:
            return answer.status_code
        return sorted(each["name"] for each in answer.json()["colleagues"])

    assert offered(cast.bao) == ["Ada Admin", "Dana Okafor"]
    assert [offered(user) for user in (cast.casey, cast.greta, cast.emil)] == [404, 404, 404]


def test_form_sends_keys_and_ignores_what_is_none(cast):
    client = Client()
    client.force_login(cast.bao)
    sent = {"message": "@Dana Okafor?", "internal": "on", "mentions": ["x", str(cast.dana.pk)]}
    client.post(f"/tickets/{cast.ticket.uuid}/replies/", sent)
    assert [each.user for each in Mention.objects.all()] == [cast.dana]
