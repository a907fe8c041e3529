"""Stored HTML: rendered once when a message is written, by a command after an upgrade, and never for a reader."""

import importlib
from io import StringIO
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.sign_in import tokens
from tests.support.cast import Cast
from tickets import list_queries, services
from tickets.markdown import RENDERER_VERSION, stored
from tickets.models import Reply, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the texts that are rendered."""
    texts: list[str] = []
    original = stored.render

    def record(text: str) -> str:
        texts.append(text)
        return original(text)

    monkeypatch.setattr(stored, "render", record)
    return texts


def test_message_is_rendered_once_for_all_audiences_and_readers(cast: Cast, rendered: list[str]) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    reply = cast.reply(cast.casey, "**Hello**")
    assert rendered == ["**Hello**"]
    address = cast.ticket.get_absolute_url()
    for user in (cast.casey, cast.bao, cast.ada):
        client = Client()
        client.force_login(user)
        token = {"Authorization": f"Bearer {tokens.issue(user, name='x', days=30)[1]}"}
        assert "<strong>Hello</strong>" in client.get(address).text
        assert "<strong>Hello</strong>" in client.get(f"{address}replies/{reply.pk}/").json()["reply"]["message_html"]
        api = f"/api/v1{address}"
        assert "<em>May</em>" in client.get(api, headers=token).json()["content_html"]
        assert "<strong>" in client.get(f"{api}replies/", headers=token).json()["results"][0]["message_html"]
    admin = Client()
    admin.force_login(cast.ada)
    assert "<strong>Hello</strong>" in admin.get(f"/admin/tickets/ticket/{cast.ticket.pk}/change/").text
    assert rendered == ["**Hello**"]


def test_twenty_large_tables_are_bounded_and_not_rendered_for_readers(cast: Cast, rendered: list[str]) -> None:
    table = ("|".join("a" * 800) + "\n" + "|".join(["---"] * 800) + "\n" + "a|b\n" * 12_000)[:50_000]
    for _number in range(20):
        cast.reply(cast.casey, table)
    rendered.clear()
    client = Client()
    client.force_login(cast.bao)
    page = client.get(cast.ticket.get_absolute_url())
    assert not rendered
    assert len(page.content) < 20 * 100_000


def test_message_without_html_is_rendered_for_its_reader(cast: Cast, client: Client) -> None:
    said = {"ticket": cast.ticket, "author": cast.casey}
    Reply.objects.bulk_create([Reply(message="**old**", number=1, **said)])
    client.force_login(cast.casey)
    assert "<strong>old</strong>" in client.get(cast.ticket.get_absolute_url()).text


def test_html_of_an_older_renderer_is_shown(cast: Cast, client: Client) -> None:
    reply = cast.reply(cast.casey, "**old**")
    Reply.objects.filter(pk=reply.pk).update(rendered="<p>older</p>", renderer_version=RENDERER_VERSION + 1)
    client.force_login(cast.casey)
    assert "<p>older</p>" in client.get(cast.ticket.get_absolute_url()).text


def test_command_renders_outdated_messages_only(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "BATCH_SIZE", 2)
    replies = [cast.reply(cast.casey, f"**{number}**") for number in range(5)]
    Reply.objects.update(rendered="", renderer_version=0)
    Ticket.objects.update(rendered="kept")
    before = Ticket.objects.values("updated_at", "version", "staff_seq").get(pk=cast.ticket.pk)
    out = StringIO()
    call_command("render_messages", stdout=out)
    assert "replies: 5 rendered" in out.getvalue()
    assert [Reply.objects.get(pk=reply.pk).rendered for reply in replies] == [
        f'<p dir="auto"><strong>{number}</strong></p>' for number in range(5)
    ]
    assert Ticket.objects.get(pk=cast.ticket.pk).rendered == "kept"
    assert Ticket.objects.values("updated_at", "version", "staff_seq").get(pk=cast.ticket.pk) == before
    call_command("render_messages", "--all", stdout=out)
    assert Ticket.objects.get(pk=cast.ticket.pk).rendered != "kept"


def test_migration_renders_messages_of_older_releases(cast: Cast) -> None:
    cast.reply(cast.casey, "**old**")
    Reply.objects.update(rendered="", renderer_version=0)
    migration = importlib.import_module("tickets.migrations.0009_render_messages")
    migration.render_all(apps, SimpleNamespace(connection=connection))
    assert Reply.objects.get().rendered == '<p dir="auto"><strong>old</strong></p>'


def test_lists_and_changes_do_not_read_messages(cast: Cast) -> None:
    cast.reply(cast.casey, "a")
    with CaptureQueriesContext(connection) as queries:
        list(list_queries.filter_tickets(cast.bao, list_queries.TicketFilter()))
        services.update_ticket(cast.ticket, by=cast.bao, values={"subject": "New"})
    assert queries.captured_queries
    assert not [query["sql"] for query in queries if '"tickets_ticket"."rendered"' in query["sql"]]
