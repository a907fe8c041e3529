"""The quota: all files of one customer, by page, form and API; staff have none."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import files, services
from tickets.models import Attachment, Reply

pytestmark = pytest.mark.django_db
LIMIT = "would exceed your limit of 1.0"


@pytest.fixture(autouse=True)
def quota(settings: Any) -> None:
    settings.ATTACHMENT_QUOTA_BYTES = 1024


def text(size: int = 600) -> SimpleUploadedFile:
    return SimpleUploadedFile("notes.txt", b"x" * size)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_upload_beyond_the_quota_is_refused(cast: Cast) -> None:
    casey = signed_in(cast.casey)
    assert casey.post("/files/", {"file": text()}).status_code == 201
    refused = casey.post("/files/", {"file": text()})
    assert (refused.status_code, Attachment.objects.count()) == (422, 1)
    assert LIMIT in refused.json()["errors"]["file"][0]


def test_upload_by_the_api_beyond_the_quota_is_refused(cast: Cast) -> None:
    casey = ApiClient(cast.casey)
    assert casey.upload(text()).status_code == 201
    refused = casey.upload(text())
    assert refused.status_code == 422
    assert LIMIT in refused.json()["detail"]


def test_form_beyond_the_quota_keeps_text_and_the_files_that_fit(cast: Cast) -> None:
    address = f"/tickets/{cast.ticket.uuid}/replies/"
    page = signed_in(cast.casey).post(address, {"message": "A long story", "uploads": [text(), text()]})
    assert page.status_code == 422
    assert LIMIT in page.text
    assert "A long story" in page.text
    assert str(Attachment.objects.get().pk) in page.text


def test_sent_files_count(cast: Cast) -> None:
    file = files.store(text(), by=cast.casey)
    services.add_reply(cast.ticket, by=cast.casey, message="Hello", attachments=[file])
    assert signed_in(cast.casey).post("/files/", {"file": text()}).status_code == 422


@pytest.mark.parametrize("change", ["discarded", "deleted with its reply"])
def test_deleted_files_do_not_count(cast: Cast, change: str) -> None:
    file = files.store(text(), by=cast.casey)
    if change == "discarded":
        file.delete()
    else:
        reply = services.add_reply(cast.ticket, by=cast.casey, message="Hello", attachments=[file])
        services.delete_reply(reply, by=cast.ada)
    assert files.store(text(), by=cast.casey)


def test_files_of_others_do_not_count(cast: Cast) -> None:
    files.store(text(), by=cast.greta)
    assert files.store(text(), by=cast.casey)


@pytest.mark.parametrize("name", ["ada", "bao"])
def test_staff_have_no_quota(cast: Cast, name: str) -> None:
    for _ in range(3):
        files.store(text(), by=getattr(cast, name))
    assert Attachment.objects.count() == 3


def test_zero_is_no_limit(cast: Cast, settings: Any) -> None:
    settings.ATTACHMENT_QUOTA_BYTES = 0
    for _ in range(3):
        files.store(text(), by=cast.casey)
    assert Attachment.objects.count() == 3


def test_reply_sent_again_without_room_for_copies_keeps_its_text(cast: Cast) -> None:
    casey, address = signed_in(cast.casey), f"/tickets/{cast.ticket.uuid}/replies/"
    old, new = (str(files.store(text(size), by=cast.casey).pk) for size in (600, 100))
    body = {"message": "See the file", "key": str(uuid4()), "attachments": [old]}
    casey.post(address, body)
    page = casey.post(address, body | {"attachments": [old, new]})
    assert (page.status_code, Reply.objects.count()) == (409, 1)
    assert "See the file" in page.text
    assert LIMIT in page.text
    assert new in page.text
