"""Files: validated by content, and readable only with their message."""

import io
import os
import shutil
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.support.cast import Cast
from tickets import files, services
from tickets.models import Attachment, Reply, Ticket, attachment_storage

pytestmark = pytest.mark.django_db


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" + b"\x80" * 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zipped(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def zip_bomb() -> bytes:
    """Return 300 MB of zeros, packed: that takes a second, so it is not done while tests are collected."""
    return zipped(zeros=bytes(300 * 1024**2))


PNG = png()
DOCX = zipped(**{"[Content_Types].xml": b"<x/>", "word__document.xml": b"<x/>"})
ODT = zipped(mimetype=b"application/vnd.oasis.opendocument.text", **{"content.xml": b"<x/>"})
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def stored() -> Path:
    """Return the empty storage folder."""
    folder = Path(attachment_storage().path(""))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def get(user: User, address: str) -> tuple[Any, bytes]:
    """Return the response and its content."""
    response = signed_in(user).get(address)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    return response, content


def status(user: User, address: str) -> int:
    return get(user, address)[0].status_code


def upload(user: User, name: str, content: bytes, declared: str = "application/octet-stream") -> Any:
    return signed_in(user).post("/files/", {"file": SimpleUploadedFile(name, content, declared)})


def kept(user: User, name: str = "bill.png", content: bytes = PNG) -> Attachment:
    return files.store(SimpleUploadedFile(name, content), by=user)


@pytest.mark.parametrize(
    ("name", "content", "as_what"),
    [
        ("bill.png", PNG, "image/png"),
        ("notes.txt", "Straße\n".encode(), "text/plain"),
        ("from windows.txt", "Straße".encode("utf-16"), "text/plain"),
        ("report.pdf", b"%PDF-1.7\n%%EOF\n", "application/pdf"),
        ("letter.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("letter.odt", ODT, "application/vnd.oasis.opendocument.text"),
        ("logs.zip", zipped(a=b"one"), "application/zip"),
    ],
)
def test_type_is_determined_by_content(cast: Cast, name: str, content: bytes, as_what: str) -> None:
    response = upload(cast.casey, name, content, "text/html")
    assert response.status_code == 201
    attachment = Attachment.objects.get()
    assert (attachment.content_type, attachment.filename, attachment.size) == (as_what, name, len(content))
    assert response.json()["attachment"]["filename"] == name


@pytest.mark.parametrize(
    ("name", "content", "declared", "why"),
    [
        ("holiday.png", b"MZ" + b"\x00" * 200, "image/png", "isn't allowed"),
        ("holiday.png", b"\x7fELF\x02\x01\x01" + b"\x00" * 60, "image/png", "isn't allowed"),
        ("page.png", b"<!doctype html><script>alert(1)</script>", "image/png", "isn't allowed"),
        ("page.txt", b"\xef\xbb\xbf \n<html><script>alert(1)</script>", "text/plain", "isn't allowed"),
        ("drawing.svg", SVG, "image/svg+xml", "isn't allowed"),
        ("drawing.png", SVG, "image/png", "isn't allowed"),
        ("macros.docx", zipped(**{"[Content_Types].xml": b"", "word__vbaProject.bin": b"x"}), "", "isn't allowed"),
        ("broken.zip", b"PK\x03\x04" + b"\x00" * 30, "application/zip", "isn't allowed"),
        ("bomb.zip", zip_bomb, "application/zip", "compressed too much"),
        ("bomb.png", png(60_000, 60_000), "image/png", "too many pixels"),
        ("damaged.gif", b"GIF89a" + b"\x00" * 20, "image/gif", "damaged"),
        ("empty.txt", b"", "text/plain", "empty"),
        ("large.txt", b"x" * (11 * 1024**2), "text/plain", "larger than 10 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_harmful_file_is_rejected_with_a_reason(
    cast: Cast, name: str, content: bytes | Callable[[], bytes], declared: str, why: str, stored: Path
) -> None:
    response = upload(cast.casey, name, content() if callable(content) else content, declared)
    assert response.status_code == 422
    assert why in response.json()["errors"]["file"][0]
    assert not Attachment.objects.exists()
    assert not any(path.is_file() for path in stored.rglob("*"))


def test_zip_part_with_a_false_size_is_not_unpacked(cast: Cast) -> None:
    size = 64 * 1024**2
    liar = zipped(mimetype=bytes(size)).replace(struct.pack("<I", size), struct.pack("<I", 39))
    tracemalloc.start()
    try:
        with pytest.raises(services.ValidationError, match="isn't allowed"):
            files.validated_type(SimpleUploadedFile("letter.odt", liar))
        assert tracemalloc.get_traced_memory()[1] < size / 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("x" * 300 + ".png", "x" * 146 + ".png"),
        ("invoice\u202egnp.exe", "invoicegnp.exe.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Users\\casey\\bill.PNG", "bill.PNG"),
        ("..", "file.png"),
        ("a\r\nSet-Cookie: x\u0000.png", "aSet-Cookie x.png"),
        ("setup.exe", "setup.exe.png"),
        ("بيان.png", "بيان.png"),
    ],
)
def test_file_name_is_sanitised(cast: Cast, sent: str, shown: str) -> None:
    name = files.clean_name(sent.replace(":", "") if "Set" in sent else sent, "image/png")
    assert name == shown
    attachment = kept(cast.casey)
    Attachment.objects.filter(pk=attachment.pk).update(filename=name)
    response, _ = get(cast.casey, f"/files/{attachment.pk}/")
    assert response.status_code == 200
    assert "\n" not in response["Content-Disposition"]


def test_script_named_as_text_is_text(cast: Cast) -> None:
    upload(cast.casey, "run.bat", b"@echo off\r\ndel *.*")
    assert Attachment.objects.get().filename == "run.bat.txt"


def test_file_is_stored_under_a_random_name(cast: Cast, stored: Path) -> None:
    attachment = kept(cast.casey, "salary.png")
    (path,) = [path for path in stored.rglob("*") if path.is_file()]
    assert len(path.name) == 64
    assert "salary" not in str(attachment.file.name)
    assert signed_in(cast.ada).get(f"/media/{attachment.file.name}").status_code == 404


def test_download_headers_prevent_execution(cast: Cast) -> None:
    attachment = kept(cast.casey)
    response, content = get(cast.casey, f"/files/{attachment.pk}/")
    assert content == PNG
    assert response["Content-Disposition"] == 'attachment; filename="bill.png"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]


def test_download_through_nginx_redirects_to_the_stored_file(cast: Cast, settings: Any) -> None:
    settings.ATTACHMENT_ACCEL_LOCATION = "/tikm-files/"
    attachment = kept(cast.casey)
    response, content = get(cast.casey, f"/files/{attachment.pk}/")
    assert (content, response["X-Accel-Redirect"]) == (b"", f"/tikm-files/{attachment.file.name}")
    attachment.file.storage.delete(attachment.file.name)
    assert status(cast.casey, f"/files/{attachment.pk}/") == 404


def test_only_images_are_shown_inline(cast: Cast) -> None:
    picture, text = kept(cast.casey), kept(cast.casey, "a.txt", b"text")
    shown, _ = get(cast.casey, f"/files/{picture.pk}/view/")
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert status(cast.casey, f"/files/{text.pk}/view/") == 404


def send(cast: Cast, by: User, *, internal: bool = False, name: str = "bill.png") -> Attachment:
    attachment = kept(by, name)
    services.add_reply(cast.ticket, by=by, message="See", internal=internal, attachments=[attachment])
    return attachment


@pytest.mark.parametrize("internal", [False, True], ids=["reply", "note"])
def test_file_is_readable_like_its_message(cast: Cast, internal: bool) -> None:
    attachment = send(cast, cast.bao, internal=internal)
    readers = {cast.ada, cast.bao, cast.dana} | (set() if internal else {cast.casey})
    for person in (cast.ada, cast.bao, cast.dana, cast.emil, cast.fatima, cast.casey, cast.greta):
        expected = 200 if person in readers else 404
        for address in (f"/files/{attachment.pk}/", f"/files/{attachment.pk}/view/"):
            assert status(person, address) == expected, person
    assert Client().get(f"/files/{attachment.pk}/").status_code == 302


def test_unsent_file_is_readable_by_its_uploader_only(cast: Cast) -> None:
    attachment = kept(cast.casey)
    assert status(cast.casey, f"/files/{attachment.pk}/") == 200
    for person in (cast.ada, cast.bao, cast.greta):
        assert status(person, f"/files/{attachment.pk}/") == 404
        assert signed_in(person).post(f"/files/{attachment.pk}/discard/").status_code == 404


@pytest.mark.parametrize("internal", [False, True], ids=["reply", "note"])
def test_file_access_ends_with_ticket_access(cast: Cast, internal: bool) -> None:
    attachment = send(cast, cast.dana, internal=internal)
    assert status(cast.bao, f"/files/{attachment.pk}/") == 200
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})
    assert status(cast.bao, f"/files/{attachment.pk}/") == 404
    assert status(cast.dana, f"/files/{attachment.pk}/") == 404
    assert status(cast.emil, f"/files/{attachment.pk}/") == 200


def test_former_assignee_cannot_open_files(cast: Cast) -> None:
    attachment = send(cast, cast.bao, internal=True)
    for assignee, expected in ((None, 404), (cast.fatima, 200), (None, 404)):
        services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": assignee})
        assert status(cast.fatima, f"/files/{attachment.pk}/") == expected


def test_upload_of_another_user_cannot_be_sent(cast: Cast) -> None:
    attachment = kept(cast.greta)
    reply = {"message": "Mine now", "attachments": [str(attachment.pk)]}
    response = signed_in(cast.casey).post(f"/tickets/{cast.ticket.uuid}/replies/", reply)
    assert response.status_code == 422
    assert "no longer available" in response.text
    assert "Mine now" in response.text
    assert not Reply.objects.exists()


def test_file_can_be_sent_once(cast: Cast) -> None:
    attachment = send(cast, cast.casey)
    with pytest.raises(services.ValidationError, match="no longer exists"):
        services.add_reply(cast.ticket, by=cast.casey, message="Again", attachments=[attachment])
    assert Reply.objects.count() == 1


def test_files_in_the_form_keep_their_order(cast: Cast) -> None:
    uploads = [SimpleUploadedFile(f"{number}.png", PNG) for number in range(3)]
    reply = {"message": "See these", "uploads": uploads}
    response = signed_in(cast.casey).post(f"/tickets/{cast.ticket.uuid}/replies/", reply)
    assert response.status_code == 302
    assert [file.filename for file in Reply.objects.get().attachments.all()] == ["0.png", "1.png", "2.png"]
    page = signed_in(cast.bao).get(cast.ticket.get_absolute_url()).text
    assert page.index("0.png") < page.index("1.png") < page.index("2.png")


def test_new_ticket_can_have_files(cast: Cast) -> None:
    words = {"subject": "Late", "content": "x", "office": cast.orders.pk, "priority": cast.ticket.priority_id}
    signed_in(cast.casey).post("/tickets/new/", words | {"uploads": [SimpleUploadedFile("bill.png", PNG)]})
    ticket = Ticket.objects.get(subject="Late")
    assert [file.filename for file in ticket.attachments.all()] == ["bill.png"]
    assert "bill.png" in signed_in(cast.emil).get(ticket.get_absolute_url()).text


def test_sixth_file_is_rejected_and_text_and_five_files_stay(cast: Cast) -> None:
    uploads = [SimpleUploadedFile(f"{number}.png", PNG) for number in range(6)]
    client = signed_in(cast.casey)
    response = client.post(f"/tickets/{cast.ticket.uuid}/replies/", {"message": "A long story", "uploads": uploads})
    assert response.status_code == 422
    assert "Attach at most 5 files" in response.text
    assert "A long story" in response.text
    waiting = [str(key) for key in Attachment.objects.order_by("created_at").values_list("pk", flat=True)]
    assert len(waiting) == 5
    assert all(f'value="{key}"' in response.text for key in waiting)
    again = client.post(f"/tickets/{cast.ticket.uuid}/replies/", {"message": "A long story", "attachments": waiting})
    assert again.status_code == 302
    assert Reply.objects.get().attachments.count() == 5


def test_rejected_file_keeps_the_valid_one_and_the_text(cast: Cast) -> None:
    uploads = [SimpleUploadedFile("bill.png", PNG), SimpleUploadedFile("bad.png", b"MZ\x00\x00")]
    large = SimpleUploadedFile("large.txt", b"x" * (11 * 1024**2))
    reply = {"message": "A long story", "uploads": [*uploads, large]}
    response = signed_in(cast.casey).post(f"/tickets/{cast.ticket.uuid}/replies/", reply)
    assert response.status_code == 422
    for words in ("bad.png", "this file type", "large.txt", "larger than 10 MB", "A long story"):
        assert words in response.text
    assert str(Attachment.objects.get().pk) in response.text
    assert not Reply.objects.exists()


def test_deleting_a_reply_deletes_its_files(
    cast: Cast, stored: Path, django_capture_on_commit_callbacks: Any
) -> None:
    attachment = send(cast, cast.bao)
    assert attachment_storage().exists(attachment.file.name)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_reply(Reply.objects.get(), by=cast.bao)
    assert not Attachment.objects.exists()
    assert not attachment_storage().exists(attachment.file.name)


def test_unsent_uploads_are_pruned_after_a_day(
    cast: Cast, stored: Path, capsys: pytest.CaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    sent, young, old = send(cast, cast.casey), kept(cast.casey), kept(cast.casey)
    day = timezone.now() - timedelta(days=1, minutes=1)
    Attachment.objects.filter(pk__in=[old.pk, sent.pk]).update(created_at=day)
    stray, fresh = stored / "aa" / "stray", stored / "aa" / "fresh"
    stray.parent.mkdir(exist_ok=True)
    for path in (stray, fresh):
        path.write_text("left behind")
    os.utime(stray, (time.time() - 90_000,) * 2)
    os.utime(stored / sent.file.name, (time.time() - 90_000,) * 2)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("prune_attachments")
    assert "2 files deleted" in capsys.readouterr().out
    assert set(Attachment.objects.all()) == {sent, young}
    assert (stray.exists(), fresh.exists(), (stored / sent.file.name).exists()) == (False, True, True)


def test_number_of_unsent_uploads_is_limited(cast: Cast) -> None:
    first = kept(cast.casey)
    for _ in range(files.MAX_PENDING):
        kept(cast.casey)
    assert Attachment.objects.filter(uploader=cast.casey).count() == files.MAX_PENDING
    assert not Attachment.objects.filter(pk=first.pk).exists()


def test_upload_without_a_file_is_rejected(cast: Cast) -> None:
    response = signed_in(cast.casey).post("/files/")
    assert (response.status_code, response.json()) == (422, {"errors": {"file": ["No file was sent."]}})


def test_file_missing_on_disk_returns_404(cast: Cast) -> None:
    attachment = kept(cast.casey)
    attachment_storage().delete(attachment.file.name)
    assert status(cast.casey, f"/files/{attachment.pk}/") == 404
    assert status(cast.casey, f"/files/{uuid4()}/") == 404


def test_customer_pages_do_not_name_files_of_notes(cast: Cast) -> None:
    send(cast, cast.bao, internal=True, name="fraud-report.png")
    assert "fraud-report" not in signed_in(cast.casey).get(cast.ticket.get_absolute_url()).text
    assert "fraud-report" in signed_in(cast.dana).get(cast.ticket.get_absolute_url()).text
