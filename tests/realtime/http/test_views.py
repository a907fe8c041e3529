"""The endpoints under /broadcasting/: sessions with a CSRF token, bearer tokens, input validation."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
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
    assert status(channel_name=cast.greta.channel) == 403
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
        assert any(is_problem(answer, 400, code) for code in ("parse_error", "invalid_socket_id"))
    assert ask_auth(visitor(), cast, good).status_code == 200


def history(cast: Cast, **query: Any) -> HttpResponse:
    """Return the history as a program of Casey's reads it."""
    _, good = token_of(cast.casey)
    return visitor().get("/broadcasting/history", {"channel": cast.ticket.channel, **query}, headers=good)


def is_problem(answer: HttpResponse, status: int, code: str) -> bool:
    body = answer.json()
    return (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json") and (
        (body["type"], body["status"], body["code"]) == ("about:blank", status, code)
        and body["title"] == HTTPStatus(status).phrase
        and bool(body["detail"])
    )


def swap_last_but_one(cursor: str) -> str:
    return cursor[:-4] + ("A" if cursor[-4] != "A" else "B") + cursor[-3:]


@pytest.mark.parametrize(
    "since",
    ["", "0", "-1", "nonsense", "7\x00", "1:2", "null", "x" * 5000, "\x00", "gAAAAA==", "gAAAAA", "\u00e9", "\ud7ff"],
)
def test_text_that_is_no_cursor_is_a_bad_request(cast: Cast, since: str) -> None:
    assert is_problem(history(cast, since=since), 400, "invalid_cursor")
    assert history(cast, since=history(cast).json()["cursor"]).json()["reset"] is False


@pytest.mark.parametrize(
    "change",
    [lambda cursor: cursor[:-1], lambda cursor: cursor[1:], swap_last_but_one, str.lower, lambda cursor: cursor * 2],
    ids=["cut", "without the first character", "mistyped", "in lower case", "twice"],
)
def test_mistyped_cursor_is_a_bad_request(cast: Cast, change: Callable[[str], str]) -> None:
    cursor = history(cast).json()["cursor"]
    assert is_problem(history(cast, since=change(cursor)), 400, "invalid_cursor")
    assert history(cast, since=cursor).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "",
        "news",
        "private-",
        "private-unknown",
        "private-tickets.1",
        "private-tickets.*",
        "private_tickets.{uuid}",
        "tickets.{uuid}",
        "Private-tickets.{uuid}",
        "private-tickets.{uuid}.x",
        "private-tickets.{uuid}\n",
        " private-tickets.{uuid}",
        "private-encrypted-tickets.{uuid}",
        "private-user.me",
        "#server-to-user-7",
        "x" * 165,
        "private-\u00e9",
    ],
)
def test_name_that_no_channel_has_is_a_bad_request(cast: Cast, name: str) -> None:
    _, good = token_of(cast.casey)
    name = name.replace("{uuid}", str(cast.ticket.uuid))
    answers = [
        history(cast, channel=name),
        history(cast, channel=[cast.ticket.channel, name]),
        visitor().post("/broadcasting/auth", {"socket_id": SOCKET, "channel_name": name}, headers=good),
    ]
    assert all(is_problem(answer, 400, "invalid_channel") for answer in answers)
    assert [answer.json()["refused"] for answer in answers] == [[name]] * 3


def test_forgotten_prefix_of_a_channel_is_named(cast: Cast) -> None:
    name = cast.ticket.channel
    detail = history(cast, channel=name.removeprefix("private-")).json()["detail"]
    assert name in detail
    assert "Did you mean" not in history(cast, channel="news").json()["detail"]


@pytest.mark.parametrize("channels", [[], [f"private-office.{n}" for n in range(21)]])
def test_history_channel_count_is_limited(cast: Cast, channels: list[str]) -> None:
    assert is_problem(history(cast, channel=channels), 400, "invalid_channel")
    assert history(cast, channel=[cast.ticket.channel] * 21).status_code == 200


def test_refused_channels_are_a_problem_that_names_them(cast: Cast) -> None:
    own, other = cast.casey.channel, cast.greta.channel
    answer = history(cast, channel=[own, other])
    assert is_problem(answer, 403, "permission_denied")
    assert answer.json()["refused"] == [other]


def test_other_refusals_are_problems(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    _, good = token_of(cast.casey)
    for ask in ENDPOINTS:
        assert is_problem(ask(visitor(), cast, {}), 403, "csrf_failed" if ask in WRITES else "not_authenticated")
        assert is_problem(ask(visitor(), cast, {"X-CSRFToken": CSRF}), 403, "not_authenticated")
    form = visitor().post("/broadcasting/user-auth", {"socket_id": "1"}, headers=good)
    assert is_problem(form, 400, "invalid_socket_id")
    for method, path, allow in (
        ("GET", "auth", "POST"),
        ("PUT", "user-auth", "POST"),
        ("POST", "history", "GET, HEAD"),
    ):
        wrong = visitor().generic(method, f"/broadcasting/{path}", headers=good)
        assert is_problem(wrong, 405, "method_not_allowed")
        assert wrong["Allow"] == allow
    monkeypatch.setattr(rate_limits, "allowed", lambda *_: False)
    for ask in ENDPOINTS:
        limited = ask(visitor(), cast, good)
        assert is_problem(limited, 429, "throttled")
        assert int(limited["Retry-After"]) > 0


def test_server_error_of_the_history_is_a_problem(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    casey = visitor(cast.casey)
    casey.raise_request_exception = False
    monkeypatch.setattr("realtime.broadcasting.history.read", fail)
    answer = casey.get("/broadcasting/history", {"channel": cast.ticket.channel})
    assert is_problem(answer, 500, "server_error")


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
