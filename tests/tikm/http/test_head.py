"""Every address that answers GET answers HEAD, with the same status and no body (RFC 9110, section 9.3.2)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver

from tests.support.api_client import ApiClient
from tests.support.cast import PASSWORD, Cast
from tickets import files

PLACEHOLDER = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?(\w+)>")
# Django's own page redirects only GET of a user who is signed in; the other one needs parameters.
DJANGO = {"admin/login/", "admin/autocomplete/"}
LEAST = 60  # addresses without the admin's that answer GET


def routes(resolver: Any, before: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        here = before + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from routes(entry, here)
        elif here not in DJANGO:
            yield here


@pytest.mark.django_db
def test_every_address_that_answers_get_answers_head(cast: Cast, settings: Any) -> None:
    settings.API_RATES = dict.fromkeys(settings.API_RATES, "1000000/second")
    client, program, reply = Client(raise_request_exception=False), ApiClient(cast.ada), cast.reply(cast.bao, "Hello")
    client.force_login(cast.ada)
    client.post("/reauthenticate/", {"password": PASSWORD})
    file = files.store(SimpleUploadedFile("a.txt", b"Hello"), by=cast.ada)
    values = {
        "uuid": cast.ticket.uuid, "reply_id": reply.pk, "attachment_id": file.pk, "user_id": cast.bao.pk,
        "token_id": program.id, "object_id": cast.ticket.pk, "app_id": "tikm", "letters": "S", "session_id": 1,
        "channel": "private-x", "key": "x", "uidb36": "1", "socket_id": "1.1", "app_label": "tickets",
        "content_type_id": 1, "url": "x", "path": "x",
    }  # fmt: skip
    differ, answered = {}, 0
    for route in routes(get_resolver()):
        path = PLACEHOLDER.sub(lambda match: str(values.get(match[1] or match[2], "1")), route)
        path = "/" + re.sub(r"[\^$?\\]", "", path)
        headers = program.headers if path.startswith("/api/") else {}
        found = client.get(path, headers=headers)
        found.close()
        if found.status_code == 405:
            continue
        answered += not path.startswith("/admin/")
        head = client.head(path, headers=headers)
        content = b"".join(head.streaming_content) if head.streaming else head.content
        head.close()
        if (head.status_code, content) != (found.status_code, b""):
            differ[path] = (found.status_code, head.status_code, content[:20])
    assert differ == {}
    assert answered >= LEAST
