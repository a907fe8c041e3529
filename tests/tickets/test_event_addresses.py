"""URLs in events work for each reader of the event: a page with its session, and a program with its token."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.tickets.files.test_files import png
from tickets import files, services

pytestmark = pytest.mark.django_db


def addresses(payload: Any) -> list[str]:
    """Return the URLs in a reply's payload, at any depth."""
    if isinstance(payload, list):
        return [url for each in payload for url in addresses(each)]
    if not isinstance(payload, dict):
        return []
    own = [value for key, value in payload.items() if key.endswith("url") and value is not None]
    return own + [url for value in payload.values() for url in addresses(value)]


def reply_in_history(reader: ApiClient, cast: Cast, **options: Any) -> dict[str, Any]:
    """Return the reply that is written now, from the event as `reader` receives it."""
    path, headers = f"/broadcasting/history?channel={cast.ticket.channel}", reader.headers
    cursor = reader.client.get(path, headers=headers).json()["cursor"]
    uploads = [files.store(SimpleUploadedFile(*each), by=cast.bao) for each in (("a.png", png()), ("b.txt", b"text"))]
    services.add_reply(cast.ticket, by=cast.bao, message="See these files", attachments=uploads, **options)
    (event,) = reader.client.get(f"{path}&since={cursor}", headers=headers).json()["events"]
    return event["data"]["reply"]


@pytest.mark.parametrize("name", ["casey", "bao", "dana"])
def test_addresses_of_a_reply_answer_session_and_token(cast: Cast, name: str) -> None:
    person = getattr(cast, name)
    reader, page = ApiClient(person), Client()
    page.force_login(person)
    reply = reply_in_history(reader, cast)
    assert len(addresses(reply)) == 4  # two files, one of them an image, and the author's avatar
    for url in addresses(reply):
        for client, headers in ((Client(), reader.headers), (page, {})):
            answer = client.get(url, headers=headers)
            answer.close()
            assert (answer.status_code, "private" in answer["Cache-Control"]) == (200, True)
            assert {"Authorization", "Cookie"} <= set(answer["Vary"].split(", "))


def test_file_address_means_the_content_in_events_and_in_the_api(cast: Cast) -> None:
    bao = ApiClient(cast.bao)
    reply = reply_in_history(bao, cast)
    listed = bao.get(f"tickets/{cast.ticket.uuid}/replies/").json()["results"][-1]
    for event, api in zip(reply["attachments"], listed["attachments"], strict=True):
        contents = [bao.client.get(url, headers=bao.headers).getvalue() for url in (event["url"], api["url"])]
        assert contents in ([png()] * 2, [b"text"] * 2)


@pytest.mark.parametrize("token", ["wrong", "", "x" * 300, "\u00e9"])
def test_invalid_token_is_refused_and_not_sent_to_the_sign_in_page(cast: Cast, token: str) -> None:
    reply = reply_in_history(ApiClient(cast.bao), cast)
    page = Client()
    page.force_login(cast.bao)
    for url in addresses(reply):
        for client in (Client(), page):
            answer = client.get(url, headers={"Authorization": f"Bearer {token}"})
            assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
            assert answer["WWW-Authenticate"].startswith("Bearer")
    assert Client().get(url).status_code == 302


def test_token_opens_only_files_that_its_user_may_read(cast: Cast) -> None:
    note = reply_in_history(ApiClient(cast.bao), cast, internal=True)
    urls = [attachment["url"] for attachment in note["attachments"]]
    casey, greta, bao = (ApiClient(person) for person in (cast.casey, cast.greta, cast.bao))
    for program, status in ((casey, 404), (greta, 404), (bao, 200)):
        for url in urls:
            answer = program.client.get(url, headers=program.headers)
            answer.close()
            assert answer.status_code == status


def test_token_reads_and_does_not_upload_through_the_page_addresses(cast: Cast) -> None:
    bao = ApiClient(cast.bao)
    answer = Client().post("/files/", {"file": SimpleUploadedFile("a.txt", b"text")}, headers=bao.headers)
    assert answer.status_code in (302, 403)
