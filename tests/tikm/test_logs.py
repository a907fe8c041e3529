"""Logs as JSON: one object per line, with the values that the message names and the ids of the request."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from tests.support.cast import Cast
from tikm.logs import JsonFormatter

ID = "proxy-4711-abcdef"


def written(message: str, *args: Any, **more: Any) -> dict[str, Any]:
    """Return what is logged as JSON for a message."""
    stream, logger = StringIO(), logging.getLogger("tikm.test")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    try:
        logger.error(message, *args, **more)
    finally:
        logger.removeHandler(handler)
    assert stream.getvalue().count("\n") == 1
    result: dict[str, Any] = json.loads(stream.getvalue())
    return result


def test_json_line_has_the_values_that_its_message_names() -> None:
    entry = written("job failed task=%s job=%d reason=%r", "mail.send", 7, "refused\nby «them»")
    assert entry["message"] == r"job failed task=mail.send job=7 reason='refused\nby «them»'"
    assert entry["fields"] == {"task": "mail.send", "job": 7, "reason": "refused\nby «them»"}
    assert (entry["level"], entry["logger"]) == ("error", "tikm.test")
    assert entry["time"].endswith("+00:00")


@pytest.mark.parametrize(
    ("message", "args", "fields"),
    [
        ("retrying in %d s error=%r", (5, "away"), {"error": "away"}),
        ("100 %% full disk=%s", ("sda",), {"disk": "sda"}),
        ("nothing named: %s", (1,), None),
        ("no values", (), None),
    ],
)
def test_values_without_a_name_are_left_to_the_message(message: str, args: tuple, fields: dict | None) -> None:
    assert written(message, *args).get("fields") == fields


def test_json_line_has_the_traceback() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        entry = written("failed", exc_info=error)
    assert entry["exception"].endswith("ValueError: two\nlines")


@pytest.mark.parametrize("sent", ["", "short", "a b c d e f", "x" * 65, "id-with-ä-umlaut", '{"a": "b"}'])
def test_response_names_an_id_of_our_own_instead_of_a_malformed_one(sent: str) -> None:
    answers = [Client().get("/healthz", headers={"x-request-id": sent}) for _ in range(2)]
    ids = {answer["X-Request-ID"] for answer in answers}
    assert len(ids) == 2
    assert all(len(each) == 32 and each.isalnum() for each in ids)


def test_response_names_the_id_that_the_proxy_sent() -> None:
    assert Client().get("/healthz", headers={"x-request-id": ID})["X-Request-ID"] == ID


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Collect the JSON lines of this test's logger and of Django's."""
    handler = logging.Handler()
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger(name) for name in ("tikm.test", "django.request")]
    collected: list[str] = []
    handler.emit = lambda record: collected.append(handler.format(record))  # type: ignore[method-assign]
    for logger in loggers:
        logger.addHandler(handler)
    yield collected
    for logger in loggers:
        logger.removeHandler(handler)


def test_log_lines_and_error_page_of_a_request_name_its_id(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        logging.getLogger("tikm.test").error("within")
        raise RuntimeError

    client = Client(raise_request_exception=False)
    client.force_login(cast.ada)
    assert client.get("/no-such-page/", headers={"x-request-id": ID}).status_code == 404
    monkeypatch.setattr("tickets.policies.visible_tickets", fail)
    answer = client.get("/tickets/", headers={"x-request-id": ID})
    assert answer.status_code == 500
    assert ID in answer.content.decode()
    entries = [json.loads(line) for line in lines]
    assert [(entry["message"], entry["request"], entry.get("user")) for entry in entries] == [
        ("Not Found: /no-such-page/", ID, str(cast.ada.pk)),
        ("within", ID, str(cast.ada.pk)),
        ("Internal Server Error: /tickets/", ID, str(cast.ada.pk)),
    ]
    logging.getLogger("tikm.test").error("outside of requests")
    assert "request" not in json.loads(lines[-1])
