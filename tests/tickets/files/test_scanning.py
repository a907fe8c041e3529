"""The malware scanner: no file is stored that it has not passed, by page, form and API."""

import sys
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets.files import scanning
from tickets.models import Attachment

pytestmark = pytest.mark.django_db
# Ends with 1 for "EICAR" in its input, as a scanner does; with 2 for "broken".
SCANNER = "import sys; text = sys.stdin.buffer.read(); sys.exit(1 if b'EICAR' in text else 2 * (b'broken' in text))"
MALWARE, UNKNOWN = "was refused because it contains malware", "be checked for malware. Try again later"
REFUSED = [("EICAR test", MALWARE), ("broken", UNKNOWN)]


@pytest.fixture(autouse=True)
def scanner(settings: Any) -> None:
    settings.ATTACHMENT_SCANNER = [sys.executable, "-Ic", SCANNER]


def text(content: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("notes.txt", content.encode())


@pytest.fixture
def casey(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.casey)
    return client


@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_page_refuses_with_the_reason(casey: Client, content: str, reason: str) -> None:
    page = casey.post("/files/", {"file": text(content)})
    assert page.status_code == 422
    assert reason in page.json()["errors"]["file"][0]
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(("content", "reason"), REFUSED)
def test_api_refuses_with_the_reason(cast: Cast, content: str, reason: str) -> None:
    answer = ApiClient(cast.casey).upload(text(content))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/file")
    assert reason in answer.json()["detail"]
    assert not Attachment.objects.exists()


def test_form_keeps_the_text_and_the_clean_file(cast: Cast, casey: Client) -> None:
    body = {"message": "A long story", "uploads": [text("clean"), text("EICAR test")]}
    page = casey.post(f"/tickets/{cast.ticket.uuid}/replies/", body)
    assert page.status_code == 422
    assert MALWARE in page.text
    assert "A long story" in page.text
    assert str(Attachment.objects.get().pk) in page.text


def test_clean_file_is_stored_whole(cast: Cast, casey: Client) -> None:
    assert casey.post("/files/", {"file": text("clean")}).status_code == 201
    assert ApiClient(cast.casey).upload(text("clean")).status_code == 201
    for attachment in Attachment.objects.all():
        with attachment.file.open("rb") as content:
            assert content.read() == b"clean"


@pytest.mark.parametrize("fail_open", [False, True])
@pytest.mark.parametrize("command", [["/no/such/scanner"], [sys.executable, "-Ic", "import sys; sys.exit(77)"]])
def test_scanner_that_fails_refuses_unless_it_may_fail_open(
    casey: Client, settings: Any, caplog: Any, command: list[str], fail_open: bool
) -> None:
    settings.ATTACHMENT_SCANNER, settings.ATTACHMENT_SCANNER_FAIL_OPEN = command, fail_open
    assert casey.post("/files/", {"file": text("clean")}).status_code == (201 if fail_open else 422)
    assert "attachment scanner failed" in caplog.text


def test_scanner_that_does_not_end_fails(casey: Client, settings: Any, monkeypatch: Any) -> None:
    settings.ATTACHMENT_SCANNER = [sys.executable, "-Ic", "import time; time.sleep(600)"]
    monkeypatch.setattr(scanning, "TIMEOUT", 0.2)
    assert UNKNOWN in casey.post("/files/", {"file": text("clean")}).json()["errors"]["file"][0]


def test_malware_is_refused_also_if_the_scanner_may_fail_open(casey: Client, settings: Any) -> None:
    settings.ATTACHMENT_SCANNER_FAIL_OPEN = True
    assert casey.post("/files/", {"file": text("EICAR test")}).status_code == 422


def test_api_scans_once_and_outside_a_transaction(cast: Cast, monkeypatch: Any) -> None:
    depth, calls = len(connection.savepoint_ids), []
    monkeypatch.setattr(scanning, "_exit_status", lambda _content: calls.append(len(connection.savepoint_ids)) or 0)
    assert ApiClient(cast.casey).upload(text("clean")).status_code == 201
    assert calls == [depth]


def test_scanner_does_not_learn_the_name(casey: Client, monkeypatch: Any) -> None:
    seen = []
    monkeypatch.setattr(
        scanning.subprocess, "run", lambda command, **options: seen.append((command, options)) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        casey.post("/files/", {"file": SimpleUploadedFile("--config=evil.txt", b"x")})
    assert "evil" not in str(seen)
