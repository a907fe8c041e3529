"""The endpoints under /broadcasting/: sessions with a CSRF token, bearer tokens, input validation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from zeal import zeal_ignore

from accounts.models import ApiToken, User
from realtime.utils import rate_limits
from tests.support.cast import Cast

CSRF = "0123456789abcdef0123456789abcdef"
SOCKET = "1.2"
Ask = Callable[[Client, Cast, dict[str, str]], HttpResponse]


def ask_auth(client: Client, cast: Cast, headers: dict[str, str]) -> HttpResponse:
    fields = {"socket_id": SOCKET, "channel_name": cast.ticket.channel}
    return client.post("/broadcasting/auth", fields, headers=headers)


def ask_user_auth(client: Client, cast: Cast, headers: dict[str, str]) -> HttpResponse:
    return client.post("/broadcasting/user-auth", {"socket_id": SOCKET}, headers=headers)


def ask_history(client: Client, cast: Cast, headers: dict[str, str]) -> HttpResponse:
    return client.get("/broadcasting/history", {"channel": cast.ticket.channel}, headers=headers)


WRITES = [ask_auth, ask_user_auth]
ENDPOINTS = [*WRITES, ask_history]


def visitor(person: User | None = None) -> Client:
    """Return a client whose requests are checked for CSRF."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = CSRF
    if person is not None:
        client.force_login(person)
    return client


def token_of(person: User, expiry: timedelta | None = None) -> tuple[ApiToken, dict[str, str]]:
    token, secret = ApiToken.objects.create(user=person, name="Phone", expiry=expiry)
    return token, {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("ask", ENDPOINTS)
def test_bearer_token_needs_no_csrf_token(cast: Cast, ask: Ask) -> None:
    _, good = token_of(cast.casey)
    assert ask(visitor(), cast, good).status_code == 200


@pytest.mark.parametrize("ask", ENDPOINTS)
def test_invalid_bearer_token_is_refused(cast: Cast, ask: Ask) -> None:
    token, revoked = token_of(cast.casey)
    token.delete()
    late, expired = token_of(cast.casey, timedelta(hours=1))
    ApiToken.objects.filter(pk=late.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    _, switched_off = token_of(cast.hiro)
    _, good = token_of(cast.casey)
    spoilt = {"Authorization": good["Authorization"][:-1] + ("0" if good["Authorization"][-1] != "0" else "1")}
    wrong = [{"Authorization": f"Bearer{rest}"} for rest in ("", " ", " wrong", " \x00", " " + "x" * 9000, " \u00e9")]
    for headers in (revoked, expired, switched_off, spoilt, *wrong):
        assert ask(visitor(), cast, headers).status_code == 403, headers
    assert ask(visitor(), cast, good).status_code == 200


@pytest.mark.parametrize("ask", ENDPOINTS)
def test_session_does_not_replace_invalid_bearer_token(cast: Cast, ask: Ask) -> None:
    casey = visitor(cast.casey)
    assert ask(casey, cast, {"Authorization": "Bearer wrong", "X-CSRFToken": CSRF}).status_code == 403
    assert ask(casey, cast, {"X-CSRFToken": CSRF}).status_code == 200


@pytest.mark.parametrize("ask", WRITES)
@pytest.mark.parametrize("header", ["X-CSRFToken", "X-CSRF-TOKEN"])
def test_session_post_needs_csrf_header_of_django_or_echo(cast: Cast, ask: Ask, header: str) -> None:
    casey = visitor(cast.casey)
    assert ask(casey, cast, {}).status_code == 403
    assert ask(casey, cast, {header: CSRF[::-1]}).status_code == 403
    assert ask(casey, cast, {header: CSRF, "Origin": "https://evil.example"}).status_code == 403
    assert ask(casey, cast, {header: CSRF}).status_code == 200


@pytest.mark.parametrize("ask", ENDPOINTS)
def test_ended_session_is_refused(cast: Cast, ask: Ask) -> None:
    casey = visitor(cast.casey)
    assert ask(casey, cast, {"X-CSRFToken": CSRF}).status_code == 200
    cast.casey.set_password("another horse")
    cast.casey.save()
    with zeal_ignore():  # to be flushed, a session is read once more
        assert ask(casey, cast, {"X-CSRFToken": CSRF}).status_code == 403
    assert ask(visitor(), cast, {"X-CSRFToken": CSRF}).status_code == 403


@pytest.mark.parametrize("ask", [ask_auth, ask_history])
def test_unauthorized_channel_is_refused_for_session_and_token(cast: Cast, ask: Ask) -> None:
    _, good = token_of(cast.greta)
    assert ask(visitor(), cast, good).status_code == 403
    assert ask(visitor(cast.greta), cast, {"X-CSRFToken": CSRF}).status_code == 403


ODD_SOCKETS = [
    "",
    "1",
    "1.",
    ".1",
    "1.2.3",
    "1.2\n",
    "1.2:private-x",
    "\u0661.\u0662",
    "1" * 21 + ".1",
    "-1.2",
    "1.2 ",
]
ODD_NAMES = ["", "private-x:y", "private-x\n", "#server-to-user-7", "x" * 165, "private-\u00e9", "private-a b"]


def test_invalid_socket_id_or_channel_name_is_not_signed(cast: Cast) -> None:
    _, good = token_of(cast.casey)

    def status(**fields: Any) -> int:
        sent = {"socket_id": SOCKET, "channel_name": cast.ticket.channel, **fields}
        return visitor().post("/broadcasting/auth", sent, headers=good).status_code

    assert [status(socket_id=text) for text in ODD_SOCKETS] == [400] * len(ODD_SOCKETS)
    assert [status(channel_name=text) for text in ODD_NAMES] == [400] * len(ODD_NAMES)
    assert status(channel_name="news") == status(channel_name="private-unknown") == 403
    assert status() == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b"--x\r\nrubbish"),
        ("multipart/form-data", b"\x00" * 100),
        ("application/x-www-form-urlencoded; charset=nonsense", b"socket_id=1,2"),
        ("application/x-www-form-urlencoded", b"socket_id=%ff%fe&channel_name=%00"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=b" for _ in range(2000))),
        ("application/json", b"{"),
        ("text/\xff", b"socket_id=1.2"),
    ],
)
def test_body_that_is_not_a_form_is_a_bad_request(cast: Cast, kind: str, body: bytes) -> None:
    _, good = token_of(cast.casey)
    for address in ("auth", "user-auth"):
        answer = visitor().generic("POST", f"/broadcasting/{address}", body, kind, headers=good)
        assert answer.status_code == 400
    assert ask_auth(visitor(), cast, good).status_code == 200


@pytest.mark.parametrize("since", ["", "0", "-1", "x" * 5000, "\x00", "gAAAAA==", "\u00e9"])
def test_invalid_cursor_resets_the_history(cast: Cast, since: str) -> None:
    _, good = token_of(cast.casey)
    query = {"channel": cast.ticket.channel, "since": since}
    assert visitor().get("/broadcasting/history", query, headers=good).json()["reset"] is True
    cursor = ask_history(visitor(), cast, good).json()["cursor"]
    assert visitor().get("/broadcasting/history", query | {"since": cursor}, headers=good).json()["reset"] is False


@pytest.mark.parametrize("channels", [[], ["a"] * 21, [f"private-tickets.{n}" for n in range(21)]])
def test_history_channel_count_is_limited(cast: Cast, channels: list[str]) -> None:
    _, good = token_of(cast.casey)
    status = visitor().get("/broadcasting/history", {"channel": channels}, headers=good).status_code
    assert status == (400 if len(set(channels)) != 1 else 403)
    assert ask_history(visitor(), cast, good).status_code == 200


@pytest.mark.parametrize("ask", ENDPOINTS)
def test_rate_limit_counts_all_tokens_of_a_user(cast: Cast, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    hits: list[str] = []

    def twice(_rate: object, _view: str, who: str) -> bool:
        hits.append(who)
        return hits.count(who) <= 2

    monkeypatch.setattr(rate_limits, "allowed", twice)
    (_, one), (_, other), (_, bao) = token_of(cast.casey), token_of(cast.casey), token_of(cast.bao)
    assert [ask(visitor(), cast, headers).status_code for headers in (one, other, one)] == [200, 200, 429]
    assert ask(visitor(), cast, bao).status_code == 200
