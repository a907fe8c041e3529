"""The admin's page of live connections: search, disconnecting, signing a user out."""

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from accounts.models import User
from realtime.admin import ConnectionAdmin
from realtime.broadcasting import ephemeral
from realtime.monitoring import connections
from realtime.presence.database_store import DatabasePresenceStore
from realtime.presence.store import Occupancy, ProcessReport, SocketReport
from realtime.protocol import Member
from realtime.utils.circuit_breaker import ServiceUnavailable
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
PAGE = "/admin/realtime/connection/"
NOON = 1_700_000_000.0


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Commands that were sent to the server processes."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(ephemeral, "disconnect", lambda **command: sent.append(command))
    return sent


@pytest.fixture
def connected(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[SocketReport]:
    """Two connections of Bao, one of Casey, an anonymous one, and one of a user of another site."""
    rows = [
        ("1.1", str(cast.bao.pk), "192.0.2.1", ["presence-office.1", cast.ticket.channel]),
        ("2.2", str(cast.bao.pk), "192.0.2.2", []),
        ("3.3", str(cast.casey.pk), "198.51.100.3", [cast.ticket.channel]),
        ("4.4", None, "203.0.113.4", []),
        ("5.5", "elsewhere:7", "203.0.113.5", ["presence-office.1"]),
    ]
    listed = [
        SocketReport("one:1:a", socket_id, user_id, address, NOON + number, channels)
        for number, (socket_id, user_id, address, channels) in enumerate(rows)
    ]
    members = {
        str(cast.bao.pk): Member(str(cast.bao.pk), {"name": "B"}),
        "elsewhere:7": Member("elsewhere:7", {"name": "Zoe"}),
    }
    channels = {"presence-office.1": Occupancy(2, members), cast.ticket.channel: Occupancy(2)}
    monkeypatch.setattr(
        DatabasePresenceStore, "processes", staticmethod(lambda: [ProcessReport("one:1:a", NOON, 5, 2, 4, 7.5, 0.5)])
    )
    monkeypatch.setattr(DatabasePresenceStore, "occupied", staticmethod(lambda prefix="": channels))
    monkeypatch.setattr(DatabasePresenceStore, "sockets", staticmethod(lambda: listed))
    return listed


def rows(response: Any) -> list[tuple[str, str]]:
    """Return the user and the address of each connection on the page."""
    return [(str(each.user), each.report.address) for each in response.context["live"].connections]


def test_only_admins_see_the_page(cast: Cast, connected: list, commands: list) -> None:
    assert "Live connections" in signed_in(cast.ada).get("/admin/").text
    assert "Live connections" not in signed_in(cast.bao).get("/admin/").text
    for person, status in ((cast.ada, 200), (cast.bao, 403), (cast.casey, 302)):
        client = signed_in(person)
        assert client.get(PAGE).status_code == status
        assert client.get(PAGE, headers={"X-Part": "live"}).status_code == status
        assert client.get(f"{PAGE}people/{cast.greta.pk}/").status_code == status
    for person, status in ((cast.bao, 403), (cast.casey, 302)):
        client = signed_in(person)
        assert client.post(PAGE, {"socket": "1.1"}).status_code == status
        assert client.post(f"{PAGE}people/{cast.greta.pk}/").status_code == status
    assert commands == []


def test_page_shows_users_channels_and_rates(cast: Cast, connected: list) -> None:
    response = signed_in(cast.ada).get(PAGE)
    assert rows(response) == [
        ("Bao Nguyen", "192.0.2.1"),
        ("Bao Nguyen", "192.0.2.2"),
        ("Casey Rivers", "198.51.100.3"),
        ("None", "203.0.113.4"),
        ("None", "203.0.113.5"),
    ]
    for words in ("Anonymous", "elsewhere:7", "7.5", "one:1:a", "2 channels", cast.ticket.channel):
        assert words in response.text
    office, _ = response.context["live"].channels
    assert (office.subscriptions, office.members) == (2, ["Bao Nguyen", "Zoe"])


def test_live_part_is_rendered_alone(cast: Cast, connected: list) -> None:
    part = signed_in(cast.ada).get(PAGE, headers={"X-Part": "live"})
    assert part.text.lstrip().startswith('<div id="live">')
    assert "198.51.100.3" in part.text
    assert "csrf" not in part.text
    assert "X-Part" in part["Vary"]


@pytest.mark.parametrize(
    ("word", "found"), [("CASEY", ["198.51.100.3"]), ("203.0.113", ["203.0.113.4", "203.0.113.5"])]
)
def test_search_finds_connections(cast: Cast, connected: list, word: str, found: list[str]) -> None:
    assert [address for _, address in rows(signed_in(cast.ada).get(PAGE, {"q": word}))] == found


def test_search_without_results_is_shown(cast: Cast, connected: list) -> None:
    page = signed_in(cast.ada).get(PAGE, {"q": "<none>"}).text
    assert "No matching connections." in page
    assert 'value="&lt;none&gt;"' in page


def test_long_lists_are_truncated(cast: Cast, connected: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_ROWS", 2)
    response = signed_in(cast.ada).get(PAGE)
    assert len(rows(response)) == 2
    assert "Showing 2 of 5. Search to find others." in response.text


def test_missing_connection_list_is_explained(cast: Cast, connected: list, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(DatabasePresenceStore, "request_sockets", staticmethod(lambda: asked.append(True)))
    monkeypatch.setattr(DatabasePresenceStore, "sockets", staticmethod(list))
    assert "Loading…" in signed_in(cast.ada).get(PAGE).text
    assert asked == [True]


def test_unavailable_presence_store_is_explained(
    cast: Cast, connected: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable() -> None:
        raise ServiceUnavailable("Connection refused.")

    monkeypatch.setattr(DatabasePresenceStore, "sockets", staticmethod(unavailable))
    client = signed_in(cast.ada)
    assert "the shared store isn" in client.get(PAGE).text
    assert "This connection is already closed" in client.post(PAGE, {"socket": "3.3"}, follow=True).text


def test_admin_disconnects_a_connection(cast: Cast, connected: list, commands: list) -> None:
    response = signed_in(cast.ada).post(PAGE, {"socket": "3.3"}, follow=True)
    assert commands == [{"sockets": ["3.3"]}]
    assert "A connection of Casey Rivers was closed." in response.text
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.object_repr) == (cast.ada, str(cast.casey.pk), "Casey Rivers")
    assert entry.change_message == "Connection 3.3 closed."


def test_admin_disconnects_an_anonymous_connection(cast: Cast, connected: list, commands: list) -> None:
    client = signed_in(cast.ada)
    assert "an anonymous visitor" in client.post(PAGE, {"socket": "4.4"}, follow=True).text
    assert commands == [{"sockets": ["4.4"]}]
    assert LogEntry.objects.get().object_repr == "Anonymous"
    assert client.get("/admin/").status_code == 200  # shows the recent actions


@pytest.mark.parametrize("socket_id", ["9.9", "", "nonsense\x00"])
def test_ended_connection_is_not_disconnected_again(
    cast: Cast, connected: list, commands: list, socket_id: str
) -> None:
    response = signed_in(cast.ada).post(PAGE, {"socket": socket_id}, follow=True)
    assert "This connection is already closed." in response.text
    assert commands == []
    assert not LogEntry.objects.exists()


def test_disconnect_needs_csrf_token(cast: Cast, connected: list, commands: list) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ada)
    for address in (PAGE, f"{PAGE}people/{cast.casey.pk}/"):
        assert client.post(address, {"socket": "3.3"}).status_code == 403
    assert commands == []


def test_disconnected_user_is_signed_out_everywhere(cast: Cast, connected: list, commands: list) -> None:
    admin, bao, casey = signed_in(cast.ada), Client(), Client()
    for client, name in ((bao, "bao"), (casey, "casey")):
        client.post("/login/", {"login": f"{name}@example.com", "password": PASSWORD})
    question = admin.get(f"{PAGE}people/{cast.bao.pk}/").text
    assert "Bao Nguyen will be signed out in every browser" in question
    assert bao.get("/tickets/").status_code == 200
    response = admin.post(f"{PAGE}people/{cast.bao.pk}/", follow=True)
    assert "Bao Nguyen was signed out everywhere and disconnected." in response.text
    assert commands == [{"users": [str(cast.bao.pk)]}]
    assert bao.get("/tickets/").status_code == 302
    assert casey.get("/tickets/").status_code == 200
    assert [each.user for each in UserSession.objects.all()] == [cast.casey]
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == ("Bao Nguyen", "Signed out everywhere and disconnected.")


def test_admin_is_warned_before_disconnecting_themselves(cast: Cast, commands: list) -> None:
    admin = Client()
    admin.post("/login/", {"login": "ada@example.com", "password": PASSWORD})
    assert "This is your own account" in admin.get(f"{PAGE}people/{cast.ada.pk}/").text
    assert admin.post(f"{PAGE}people/{cast.ada.pk}/", follow=True).request["PATH_INFO"] == "/login/"


@pytest.mark.parametrize("key", ["unknown", "00000000-0000-0000-0000-000000000000"])
def test_unknown_user_is_not_found(cast: Cast, commands: list, key: str) -> None:
    admin = signed_in(cast.ada)
    assert admin.get(f"{PAGE}people/{key}/").status_code == 404
    assert admin.post(f"{PAGE}people/{key}/").status_code == 404
    assert commands == []


def test_page_model_has_no_table() -> None:
    request = RequestFactory().get(PAGE)
    request.user = AnonymousUser()
    from django.apps import apps
    from django.contrib import admin

    page = next(page for page in admin.site._registry.values() if isinstance(page, ConnectionAdmin))
    assert page.model not in apps.get_models()
    assert not page.has_view_permission(request)
