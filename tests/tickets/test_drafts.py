"""Drafts on the server: saved by version, private to their author, and gone once they are sent."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from realtime.broadcasting import history
from realtime.models import Broadcast
from tests.support.api_client import API, ApiClient
from tests.support.cast import Cast
from tickets import drafts, files, services
from tickets.drafts.queries import draft_of
from tickets.models import MAX_MESSAGE, Attachment, Draft, Reply, Ticket

pytestmark = pytest.mark.django_db

SECRET = "Half an answer"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def save(by: User, text: str = SECRET, *, base: Any = 0, path: str, **fields: Any) -> Any:
    return signed_in(by).post(path, {"user": str(by.pk), "base": base, "text": text, **fields})


def stored(user: User, ticket: Ticket | None = None) -> str:
    return draft_of(user, ticket).text


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/tickets/{cast.ticket.uuid}/draft/"


def test_draft_is_on_the_page_of_its_author_on_any_device(cast, path):
    upload = files.store(ContentFile(b"plain words\n", "bill.txt"), by=cast.bao)
    answer = save(cast.bao, path=path, internal="on", attachments=[str(upload.pk)])
    assert answer.json() == {"draft": {"version": 1}}
    draft = signed_in(cast.bao).get(path).json()["draft"]
    assert (draft["text"], draft["is_note"], draft["version"]) == (SECRET, True, 1)
    assert draft["files"] == [{"id": str(upload.pk), "filename": "bill.txt", "size": 12}]
    page = signed_in(cast.bao).get(cast.ticket.get_absolute_url()).text
    assert f">\n{SECRET}</textarea>" in page or f">{SECRET}</textarea>" in page
    assert 'name="internal" value="on" checked' in page
    assert 'name="draft" value="1"' in page
    assert "bill.txt" in page


def test_draft_is_shown_to_its_author_only(cast, path):
    save(cast.bao, path=path)
    save(cast.bao, path="/tickets/new/draft/", subject=SECRET)
    for person in (cast.casey, cast.dana, cast.ada):
        browser, program = signed_in(person), ApiClient(person)
        pages = [cast.ticket.get_absolute_url(), "/tickets/", "/tickets/new/", path, "/tickets/new/draft/", "/"]
        texts = [browser.get(page).text for page in pages]
        texts += [program.ask("GET", f"{API}/tickets/{cast.ticket.uuid}/{part}").text for part in ("", "replies/")]
        assert SECRET not in "".join(texts)
        assert "row-draft" not in browser.get("/tickets/").text.replace('class="row-draft" hidden', "")
    mine = signed_in(cast.bao)
    assert SECRET in mine.get(cast.ticket.get_absolute_url()).text
    assert SECRET in mine.get("/tickets/new/").text
    assert 'class="row-draft">' in mine.get("/tickets/").text


def test_only_a_reader_of_the_ticket_has_a_draft_for_it(cast, path):
    assert save(cast.greta, path=path).status_code == 404
    assert signed_in(cast.greta).get(path).status_code == 404
    assert not Draft.objects.exists()
    assert save(cast.casey, path=path).status_code == 200


def test_page_of_another_user_saves_nothing(cast, path):
    answer = signed_in(cast.bao).post(path, {"user": str(cast.casey.pk), "base": 0, "text": SECRET})
    assert answer.status_code == 403
    assert not Draft.objects.exists()


def test_older_version_is_answered_with_the_stored_one(cast, path):
    save(cast.bao, "From the phone", path=path)
    answer = save(cast.bao, "From the desk", path=path)
    assert answer.status_code == 409
    assert (answer.json()["draft"]["text"], answer.json()["draft"]["version"]) == ("From the phone", 1)
    assert stored(cast.bao, cast.ticket) == "From the phone"
    assert save(cast.bao, "From the phone", path=path).json() == {"draft": {"version": 1}}
    assert save(cast.bao, "From the desk", base=1, path=path).json() == {"draft": {"version": 2}}


@pytest.mark.parametrize(
    ("text", "fields", "name"),
    [
        ("x" * (MAX_MESSAGE + 1), {}, "text"),
        ("a\x00b", {}, "text"),
        ("a", {"base": -1}, "base"),
        ("a", {"base": 2**31}, "base"),
        ("a", {"base": "x"}, "base"),
        ("a", {"user": "x"}, "user"),
        ("a", {"attachments": [f"{number:032x}" for number in range(200)]}, "attachments"),
    ],
)
def test_draft_has_the_limits_of_a_message(cast, path, text, fields, name):
    answer = save(cast.bao, text, path=path, **{"base": 0, **fields})
    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == {name}
    assert not Draft.objects.exists()


def test_sending_ends_the_draft_in_its_transaction(cast, path):
    save(cast.bao, path=path)
    answer = signed_in(cast.bao).post(f"/tickets/{cast.ticket.uuid}/replies/", {"message": f"{SECRET}.", "draft": 1})
    assert answer.status_code == 302
    draft = Draft.objects.get()
    assert (draft.text, draft.version, draft.is_empty) == ("", 2, True)
    # A save that was under way when the message was sent does not bring it back.
    assert save(cast.bao, f"{SECRET}.", base=1, path=path).status_code == 409
    assert stored(cast.bao, cast.ticket) == ""
    assert drafts.drafted_tickets(cast.bao) == set()


def test_message_sent_before_its_first_save_leaves_no_draft(cast, path):
    for version in (0, 1):
        services.add_reply(cast.ticket, by=cast.bao, message=f"{SECRET} {version}", draft=version)
        # The page saved it as it was left, and that comes late.
        assert save(cast.bao, f"{SECRET} {version}", base=version, path=path).status_code == 409
        assert stored(cast.bao, cast.ticket) == ""
    assert save(cast.bao, "The next one", base=2, path=path).json() == {"draft": {"version": 3}}


def test_message_that_is_refused_keeps_the_draft(cast, path):
    save(cast.bao, path=path)
    first = str(cast.ticket.uuid)
    cast.reply(cast.casey, "Never mind")
    fields = {"message": SECRET, "draft": 1, "seen": first}
    assert signed_in(cast.bao).post(f"/tickets/{cast.ticket.uuid}/replies/", fields).status_code == 409
    assert stored(cast.bao, cast.ticket) == SECRET


def test_draft_of_another_device_and_messages_by_other_ways_keep_it(cast, path):
    save(cast.bao, path=path)
    save(cast.bao, "Quite another answer", base=1, path=path)
    services.add_reply(cast.ticket, by=cast.bao, message=SECRET, draft=1)
    ApiClient(cast.bao).ask("POST", f"{API}/tickets/{cast.ticket.uuid}/replies/", {"message": "By a script"})
    assert Reply.objects.count() == 2
    assert stored(cast.bao, cast.ticket) == "Quite another answer"


def test_opening_a_ticket_ends_the_draft_of_a_new_one(cast):
    path = "/tickets/new/draft/"
    fields = {"subject": "The cup", "office": cast.orders.pk, "priority": cast.priority("High").pk}
    save(cast.casey, path=path, **fields)
    page = signed_in(cast.casey).get("/tickets/new/").text
    assert 'value="The cup"' in page
    assert SECRET in page
    assert f'value="{cast.orders.pk}" id="id_office_1" required checked' in " ".join(page.split())
    assert signed_in(cast.casey).post("/tickets/new/", {**fields, "content": SECRET, "draft": 1}).status_code == 302
    assert stored(cast.casey) == ""
    assert Draft.objects.get().values == {}


def test_draft_of_a_note_never_becomes_a_reply(cast, path):
    save(cast.bao, path=path, internal="on")
    cast.billing.agents.remove(cast.bao)
    assert signed_in(cast.bao).get(path).status_code == 404
    Ticket.objects.filter(pk=cast.ticket.pk).update(creator=cast.bao)
    page = signed_in(cast.bao).get(cast.ticket.get_absolute_url()).text
    assert f"{SECRET}</textarea>" not in page
    assert stored(cast.bao, cast.ticket) == SECRET


def test_only_the_author_receives_the_event_and_no_log_has_the_text(live_cast):
    cast, start = live_cast, history.current_cursor()
    save(cast.bao, path=f"/tickets/{cast.ticket.uuid}/draft/")
    save(cast.casey, "Mine", path="/tickets/new/draft/")
    found = [event["data"]["draft"] for event in history.read(cast.bao, [cast.bao.channel], start).events]
    assert found == [{"ticket": str(cast.ticket.uuid), "version": 1, "is_empty": False}]
    for person in (cast.dana, cast.ada, cast.casey):
        for channel in (person.channel, cast.ticket.channel):
            events = history.read(person, [channel], start).events
            assert not [event for event in events if event["data"].get("draft", {}).get("ticket")]
    save(cast.bao, "Half an answer, and more", base=1, path=f"/tickets/{cast.ticket.uuid}/draft/")
    assert len(history.read(cast.bao, [cast.bao.channel], start).events) == 1
    rows = json.dumps(list(Broadcast.objects.values()), default=str)
    assert SECRET not in rows
    assert "draft.saved" in rows


def test_drafts_are_pruned_and_their_files_are_kept(cast, path):
    upload = files.store(ContentFile(b"plain words\n", "bill.txt"), by=cast.bao)
    save(cast.bao, path=path, attachments=[str(upload.pk)])
    save(cast.casey, "Old", path=path)
    services.add_reply(cast.ticket, by=cast.dana, message="Sent", draft=0)
    long_ago = timezone.now() - timedelta(days=2)
    Attachment.objects.update(created_at=long_ago)
    Draft.objects.exclude(user=cast.casey).update(updated_at=long_ago)
    Draft.objects.filter(user=cast.casey).update(updated_at=timezone.now() - timedelta(days=31))
    call_command("prune_attachments", verbosity=0)
    call_command("prune_drafts", verbosity=0)
    assert [(draft.user, draft.text) for draft in Draft.objects.all()] == [(cast.bao, SECRET)]
    assert Attachment.objects.filter(pk=upload.pk).exists()


def test_each_save_of_fifty_agents_costs_few_statements(cast, path, django_assert_max_num_queries):
    save(cast.bao, path=path)
    content, ticket = drafts.Content("Half an answer, and more"), cast.ticket
    with django_assert_max_num_queries(12) as asked:
        drafts.save_draft(content, by=cast.bao, ticket=ticket, base=1)
    writes = [query["sql"] for query in asked if query["sql"].startswith(("INSERT", "UPDATE"))]
    assert len(writes) == 3  # the draft; without Redis, the message to other processes
    with django_assert_max_num_queries(3):
        drafts.save_draft(content, by=cast.bao, ticket=ticket, base=2)
