"""Scopes of API tokens: a read-only token reads what its user may read, and changes nothing. Last use is shown."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from accounts.models import ApiToken, User
from accounts.sign_in import tokens
from tests.accounts.api.test_tokens import IMPORT, make, signed_in
from tests.support.api_client import ApiClient
from tests.support.cast import PASSWORD, Cast
from tickets.models import Attachment, Reply, Ticket

pytestmark = pytest.mark.django_db
SAFE = {"get", "head", "options"}


def reader(user: User) -> ApiClient:
    client = ApiClient()
    token, secret = tokens.issue(user, name="Reader", days=30, scope="read")
    client.headers["Authorization"], client.id = f"Bearer {secret}", token.id
    return client


def operations() -> list[tuple[str, str]]:
    """Return each method and path of the API, such as ("patch", "/api/v1/tickets/{uuid}/")."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return [(method, path) for path, methods in paths.items() for method in methods]


def test_read_only_token_can_change_nothing(cast: Cast) -> None:
    client = reader(cast.ada)
    ids = {"uuid": cast.ticket.uuid, "reply_id": cast.reply(cast.bao, "Hello").pk, "token_id": client.id}
    ids |= {"id": 1, "note_id": 1, "tag_id": 1, "view_id": 1}
    before = (Ticket.objects.count(), Reply.objects.count(), ApiToken.objects.count(), Ticket.objects.get().version)
    refused = []
    for method, path in operations():
        if method in SAFE or (method, path) == ("post", "/api/v1/auth/token/"):
            continue
        address = re.sub(r"\{(\w+)\}", lambda found: str(ids.get(found[1], UUID(int=1))), path)
        answer = client.ask(method.upper(), address, {})
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope"), (method, path)
        assert answer["WWW-Authenticate"] == 'Bearer realm="api", error="insufficient_scope"'
        refused.append(path)
    assert len(refused) >= 6
    after = (Ticket.objects.count(), Reply.objects.count(), ApiToken.objects.count(), Ticket.objects.get().version)
    assert after == before


def test_read_only_token_uploads_nothing(cast: Cast) -> None:
    assert reader(cast.casey).upload(SimpleUploadedFile("notes.txt", b"x")).status_code == 403
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("name", ["ada", "bao", "casey"])
def test_read_only_token_reads_what_the_others_read(cast: Cast, name: str) -> None:
    cast.reply(cast.bao, "A note", internal=True)
    user = getattr(cast, name)
    one, other = reader(user), ApiClient(user)
    whole = f"tickets/{cast.ticket.uuid}/"
    for path in ("me/", "offices/", "tickets/", "statuses/", whole, f"{whole}replies/", f"{whole}timeline/"):
        first, second = one.get(path), other.get(path)
        assert (first.status_code, first.json()) == (200, second.json()), path
    assert one.ask("HEAD", whole).status_code == 200


def test_read_only_token_follows_live(cast: Cast) -> None:
    headers = reader(cast.bao).headers
    body = {"socket_id": "1.1", "channel_name": cast.ticket.channel}
    assert Client().post("/broadcasting/auth", body, headers=headers).status_code == 200
    history = Client().get("/broadcasting/history", {"channel": cast.ticket.channel}, headers=headers)
    assert history.status_code == 200
    stranger = reader(cast.greta).headers
    assert Client().post("/broadcasting/auth", body, headers=stranger).status_code == 403


def test_token_with_write_access_writes(cast: Cast) -> None:
    answer = ApiClient(cast.bao).post(f"tickets/{cast.ticket.uuid}/replies/", {"message": "Hello"})
    assert answer.status_code == 201


def test_token_from_before_scopes_writes(cast: Cast) -> None:
    assert ApiToken.objects.create(user=cast.bao, name="Old")[0].scope == "write"


@pytest.mark.parametrize(
    ("given", "scope"), [({}, "write"), ({"scope": "read"}, "read"), ({"scope": "write"}, "write")]
)
def test_api_creates_a_token_of_the_scope(cast: Cast, given: dict[str, str], scope: str) -> None:
    made = ApiClient().post("auth/token/", {"email": "bao@example.com", "password": PASSWORD} | given)
    assert (made.status_code, made.json()["scope"], made.json()["last_used_at"]) == (201, scope, None)
    assert ApiToken.objects.get().scope == scope


@pytest.mark.parametrize("scope", ["admin", "", "READ", 1, None, ["read"]])
def test_unknown_scope_is_refused(cast: Cast, scope: Any) -> None:
    body = {"email": "bao@example.com", "password": PASSWORD, "scope": scope}
    answer = ApiClient().post("auth/token/", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/scope")
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(("scope", "words"), [("read", "Read only"), ("write", "Read and write")])
def test_page_creates_and_shows_the_scope(cast: Cast, scope: str, words: str) -> None:
    client = signed_in("bao")
    make(client, scope=scope)
    assert ApiToken.objects.get().scope == scope
    assert f"<span>{words}</span>" in client.get("/profile/tokens/").text


def test_use_is_recorded_to_the_minute_and_shown(cast: Cast) -> None:
    client = signed_in("bao")
    secret = make(client, **IMPORT)
    assert "never used" in client.get("/profile/tokens/").text
    used = timezone.now()
    assert tokens.find_token(secret)
    first = ApiToken.objects.get().last_used_at
    assert first >= used
    assert tokens.find_token(secret)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    listed = Client().get("/api/v1/auth/token/", headers={"Authorization": f"Bearer {secret}"}).json()
    assert ApiToken.objects.get().last_used_at >= first
    assert listed[0]["last_used_at"] is not None
    page = client.get("/profile/tokens/").text
    assert "last used" in page
    assert "never used" not in page


def test_refused_token_is_not_recorded_as_used(cast: Cast) -> None:
    secret = make(signed_in("bao"))
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert tokens.find_token(secret) is None
    assert ApiToken.objects.get().last_used_at is None


def test_use_by_a_socket_is_recorded(cast: Cast) -> None:
    secret = make(signed_in("bao"))
    assert tokens.bearer(secret)
    assert ApiToken.objects.get().last_used_at is not None
