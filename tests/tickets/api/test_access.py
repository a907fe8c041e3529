"""API permissions: every endpoint x method x user, by the same policies as pages and sockets."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from accounts.api.urls import urlpatterns as people_api
from mail.api.urls import urlpatterns as mail_api
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.tickets.files.test_files import PNG
from tickets import files, services
from tickets.api.urls import urlpatterns as tickets_api
from tickets.links.services import link_tickets
from tickets.merging.services import merge_tickets
from tickets.models import Attachment, Organization, Reply, SavedView, Tag, Ticket
from tickets.people.customers import add_customer_note

pytestmark = pytest.mark.django_db

PEOPLE = ("casey", "greta", "bao", "dana", "fatima", "emil", "ada", "hiro", None)


class Stage:
    """Casey's ticket in Billing with a note of Dana's, assigned to Emil; Bao's own ticket in Orders, with a note."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.caseys, self.caseys_note = self.write_note_and_reply(cast, cast.ticket, cast.dana, cast.casey)
        self.baos = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
        services.update_ticket(self.caseys, by=cast.bao, values={"assigned_to": cast.emil})
        self.reply = Reply.objects.get(ticket=self.caseys, is_internal=False)
        self.answer = services.add_reply(self.caseys, by=cast.bao, message="Not yet")
        self.note_file = Attachment.objects.get(reply=self.caseys_note)
        self.reply_file = Attachment.objects.get(reply=self.reply)
        self.pending = file_of(cast.casey, "mine.png")
        self.about = add_customer_note(cast.casey, by=cast.bao, text="Pays late")
        self.tag = Tag.objects.create(name="billing")
        self.views = [SavedView.objects.create(name="Refunds", **{field: row}) for field, row in
                      (("owner", cast.bao), ("office", cast.billing))]  # fmt: skip
        self.organization = Organization.objects.create(name="Acme")
        self.organization.members.create(user=cast.casey)

    def write_note_and_reply(self, cast: Cast, ticket: Ticket, staff: Any, customer: Any) -> tuple[Ticket, Reply]:
        services.add_reply(ticket, by=customer, message="Any news?", attachments=[file_of(customer, "bill.png")])
        hidden = {"internal": True, "attachments": [file_of(staff, "secret-plan.png")]}
        return ticket, services.add_reply(ticket, by=staff, message="Kryptonite", **hidden)


def file_of(user: Any, name: str) -> Attachment:
    return files.store(SimpleUploadedFile(name, PNG), by=user)


@dataclass(frozen=True)
class Row:
    """An endpoint and method, the request, and the status for each user in the order of PEOPLE."""

    method: str
    path: str
    statuses: tuple[int, ...]
    body: Any = None
    things: Callable[[Stage], dict[str, Any]] = lambda stage: {}


def all_users(status: int, signed_out: int = 401) -> tuple[int, ...]:
    return (status,) * 7 + (signed_out, signed_out)


def about(name: str) -> Callable[[Stage], dict[str, Any]]:
    def things(stage: Stage) -> dict[str, Any]:
        replies = {"reply": stage.reply, "note": stage.caseys_note, "answer": stage.answer}
        return {"ticket": getattr(stage, name).uuid, **{role: row.pk for role, row in replies.items()}}

    return things


def of_file(name: str) -> Callable[[Stage], dict[str, Any]]:
    return lambda stage: {"file": getattr(stage, name).pk}


def of_casey(stage: Stage) -> dict[str, Any]:
    """Return Casey, a note of Bao's about them, and their organization."""
    return {"customer": stage.cast.casey.pk, "about": stage.about.pk, "organization": stage.organization.pk}


def linked(stage: Stage) -> dict[str, Any]:
    """Return Casey's ticket and Bao's, which are linked."""
    link_tickets(stage.caseys, stage.baos, by=stage.cast.ada)
    return {"ticket": stage.caseys.uuid, "linked": stage.baos.uuid}


def linkable(stage: Stage) -> dict[str, Any]:
    return {"ticket": stage.caseys.uuid, "reference": stage.baos.reference}


def merged(stage: Stage) -> dict[str, Any]:
    """Return Casey's ticket, which was merged into Bao's."""
    merge_tickets([stage.caseys], stage.baos, by=stage.cast.ada)
    return {"ticket": stage.caseys.uuid}


def of_tag(stage: Stage) -> dict[str, Any]:
    return {"tag": stage.tag.pk}


def of_views(stage: Stage) -> dict[str, Any]:
    """Return a view of Bao's and one of Billing."""
    return {"mine": stage.views[0].pk, "shared": stage.views[1].pk}


# fmt: off
#            Casey Greta  Bao Dana Fatima Emil  Ada Hiro anonymous
CASEYS   =  (200,  404,  200, 200,  404,  200, 200, 401, 401)
BAOS     =  (404,  404,  200, 404,  404,  200, 200, 401, 401)
STAFFS   =  (404,  404,  200, 200,  404,  200, 200, 401, 401)
WRITING  =  (201,  404,  201, 201,  404,  201, 201, 401, 401)
NOTING   =  (403,  404,  201, 201,  404,  201, 201, 401, 401)
JOINING_2 = (404,  404,  201, 201,  404,  201, 201, 401, 401)
JOINING  =  (403,  404,  201, 201,  404,  201, 201, 401, 401)
CHANGING =  (403,  404,  200, 200,  404,  200, 200, 401, 401)
TURNING  =  (403,  404,  200, 200,  404,  200, 200, 401, 401)
TURNS_2  =  (404,  404,  200, 200,  404,  200, 200, 401, 401)
EDITING  =  (403,  404,  200, 403,  404,  403, 403, 401, 401)
EDITING_2 = (200,  404,  403, 403,  404,  403, 403, 401, 401)
EDITING_3 = (404,  404,  403, 200,  404,  403, 403, 401, 401)
REFUSED  =  (403,  404,  403, 403,  404,  403, 403, 401, 401)
NOTES_2  =  (404,  404,  403, 404,  404,  201, 201, 401, 401)
CHANGES2 =  (404,  404,  403, 404,  404,  200, 200, 401, 401)
OWN_FILE =  (200,  404,  404, 404,  404,  404, 404, 401, 401)
DISCARD  =  (204,  404,  404, 404,  404,  404, 404, 401, 401)
SENT     =  (403,  404,  403, 403,  404,  403, 403, 401, 401)
MARKING  =  (204,  404,  204, 204,  404,  204, 204, 401, 401)
MARKING2 =  (404,  404,  204, 204,  404,  204, 204, 401, 401)
ADMINS   =  (403,  403,  403, 403,  403,  403, 200, 401, 401)
TAGS     =  (403,  403,  200, 200,  200,  200, 200, 401, 401)
INVITING =  (403,  403,  403, 403,  403,  403, 201, 401, 401)
NO_ROW   =  (403,  403,  403, 403,  403,  403, 404, 401, 401)
SAVING   =  (403,  403,  201, 201,  201,  201, 201, 401, 401)
OWN_VIEW =  (403,  403,  200, 404,  404,  404, 404, 401, 401)
NO_VIEW  =  (403,  403,  204, 404,  404,  404, 404, 401, 401)
SHARED   =  (403,  403,  403, 403,  404,  404, 200, 401, 401)
UNSHARED =  (403,  403,  403, 403,  404,  404, 204, 401, 401)
OPENING  =  (422,  422,  201, 201,  201,  201, 201, 401, 401)
LINKING  =  (403,  404,  422, 422,  404,  201, 201, 401, 401)
SPLITTING = (403,  404,  201, 201,  404,  403, 201, 401, 401)
MERGING  =  (403,  404,  422, 422,  404,  200, 200, 401, 401)
UNMERGING = (403,  404,  403, 403,  404,  204, 204, 401, 401)
UNLINKING = (403,  404,  404, 404,  404,  204, 204, 401, 401)
# fmt: on
ADMIN = (403,) * 6 + (200, 401, 401)
ADDS = (403,) * 6 + (201, 401, 401)
DELETES = (403,) * 6 + (204, 401, 401)
NOTE_OFF = (404, 404, 204, 403, 404, 403, 204, 401, 401)
HELLO, NOTE = {"message": "Hello"}, {"message": "Hello", "is_internal": True}
TO_FRAUD = {"subject": "S", "content": "C", "office": "Fraud Desk"}
TICKET = {"subject": "S", "content": "C", "office": "Billing"}

ROWS = [
    Row("GET", "me/", all_users(200)),
    Row("GET", "offices/", all_users(200)),
    Row("GET", "statuses/", all_users(200)),
    Row("GET", "priorities/", all_users(200)),
    Row("GET", "assignees/", all_users(200)),
    Row("GET", "customers/", all_users(200)),
    Row("GET", "invitations/", ADMINS),
    Row("POST", "invitations/", INVITING, {"email": "noor@example.com", "role": "agent", "offices": ["Billing"]}),
    Row("DELETE", "invitations/{any}/", NO_ROW),
    Row("POST", "invitations/{any}/send/", NO_ROW),
    Row("GET", "auth/token/", all_users(200)),
    Row("POST", "auth/token/", all_users(401), {"email": "x@example.com", "password": "x", "name": "x"}),
    Row("DELETE", "auth/token/{any}/", all_users(404)),
    Row("GET", "tickets/", all_users(200)),
    Row("POST", "tickets/", all_users(201), TICKET),
    Row("POST", "tickets/", OPENING, TO_FRAUD),
    Row("GET", "tickets/{ticket}/", CASEYS, things=about("caseys")),
    Row("GET", "tickets/{ticket}/", BAOS, things=about("baos")),
    Row("PATCH", "tickets/{ticket}/", CHANGING, {"status": "Closed"}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/", CHANGES2, {"status": "Closed"}, about("baos")),
    Row("GET", "tickets/{ticket}/participants/", CASEYS, things=about("caseys")),
    Row("POST", "tickets/{ticket}/participants/", JOINING, {"person": "new@example.com"}, about("caseys")),
    Row("DELETE", "tickets/{ticket}/participants/{any}/", all_users(404), things=about("caseys")),
    Row("GET", "tickets/{ticket}/links/", CHANGING, things=linked),
    Row("POST", "tickets/{ticket}/links/", LINKING, {"ticket": "{reference}"}, linkable),
    Row("DELETE", "tickets/{ticket}/links/{linked}/", UNLINKING, things=linked),
    Row("POST", "tickets/{ticket}/split/", SPLITTING, {"subject": "S"}, about("caseys")),
    Row("GET", "tickets/{ticket}/merge/", CASEYS, things=merged),
    Row("POST", "tickets/{ticket}/merge/", MERGING, {"into": "{reference}"}, linkable),
    Row("DELETE", "tickets/{ticket}/merge/", UNMERGING, things=merged),
    Row("GET", "tickets/{ticket}/replies/", CASEYS, things=about("caseys")),
    Row("GET", "tickets/{ticket}/replies/", BAOS, things=about("baos")),
    Row("POST", "tickets/{ticket}/replies/", WRITING, HELLO, about("caseys")),
    Row("POST", "tickets/{ticket}/replies/", NOTING, NOTE, about("caseys")),
    Row("POST", "tickets/{ticket}/replies/", NOTES_2, NOTE, about("baos")),
    Row("GET", "tickets/{ticket}/replies/{reply}/", CASEYS, things=about("caseys")),
    Row("GET", "tickets/{ticket}/replies/{note}/", STAFFS, things=about("caseys")),
    Row("GET", "tickets/{ticket}/replies/{reply}/", (404,) * 7 + (401, 401), things=about("baos")),
    Row("PATCH", "tickets/{ticket}/replies/{answer}/", TURNING, {"is_internal": True}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/replies/{answer}/", EDITING, {"message": "Soon"}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/replies/{reply}/", EDITING_2, {"message": "Soon"}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/replies/{note}/", EDITING_3, {"message": "Soon"}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/replies/{note}/", TURNS_2, {"is_internal": False}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/replies/{reply}/", REFUSED, {"is_internal": True}, about("caseys")),
    Row("GET", "tickets/{ticket}/timeline/", CASEYS, things=about("caseys")),
    Row("GET", "tickets/{ticket}/timeline/", BAOS, things=about("baos")),
    Row("GET", "tickets/{ticket}/receipts/", CASEYS, things=about("caseys")),
    Row("POST", "tickets/{ticket}/read/", MARKING2, {"up_to": "{note}"}, about("caseys")),
    Row("DELETE", "tickets/{ticket}/read/", MARKING, things=about("caseys")),
    Row("POST", "tickets/{ticket}/delivered/", MARKING, {"reply": "{answer}"}, about("caseys")),
    Row("GET", "tickets/{ticket}/subscription/", CASEYS, things=about("caseys")),
    Row("PATCH", "tickets/{ticket}/subscription/", CASEYS, {"level": "muted"}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/subscription/", CHANGING, {"level": "followed"}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/subscription/", CHANGES2, {"level": "followed"}, about("baos")),
    Row("GET", "customers/{customer}/", STAFFS, things=of_casey),
    Row("GET", "customers/{customer}/notes/", STAFFS, things=of_casey),
    Row("POST", "customers/{customer}/notes/", JOINING_2, {"text": "Pays late"}, of_casey),
    Row("DELETE", "customers/{customer}/notes/{about}/", NOTE_OFF, things=of_casey),
    Row("GET", "people/", ADMIN),
    Row("GET", "people/{customer}/", ADMIN, things=of_casey),
    Row("PATCH", "people/{customer}/", ADMIN, {"role": "agent"}, of_casey),
    Row("GET", "tags/", TAGS),
    Row("POST", "tags/", ADDS, {"name": "refund", "color": "red"}),
    Row("PATCH", "tags/{tag}/", ADMIN, {"name": "refunds"}, of_tag),
    Row("DELETE", "tags/{tag}/", DELETES, things=of_tag),
    Row("PATCH", "tickets/{ticket}/", CHANGING, {"tags": ["refund"]}, about("caseys")),
    Row("PATCH", "tickets/{ticket}/", CHANGING, {"snoozed_until": None}, about("caseys")),
    Row("GET", "views/", TAGS),
    Row("POST", "views/", SAVING, {"name": "Refunds", "query": "tag=billing"}),
    Row("POST", "views/", ADDS, {"name": "Refunds", "visible_to": "staff"}),
    Row("PATCH", "views/{mine}/", OWN_VIEW, {"name": "Refunds"}, of_views),
    Row("PATCH", "views/{shared}/", SHARED, {"name": "Refunds"}, of_views),
    Row("DELETE", "views/{mine}/", NO_VIEW, things=of_views),
    Row("DELETE", "views/{shared}/", UNSHARED, things=of_views),
    Row("GET", "organizations/", ADMIN),
    Row("POST", "organizations/", ADDS, {"name": "Ajax"}),
    Row("GET", "organizations/{organization}/", ADMIN, things=of_casey),
    Row("PATCH", "organizations/{organization}/", ADMIN, {"name": "Ajax"}, of_casey),
    Row("DELETE", "organizations/{organization}/", DELETES, things=of_casey),
    Row("GET", "organizations/{organization}/members/", ADMIN, things=of_casey),
    Row("POST", "organizations/{organization}/members/", ADDS, {"person": "greta@example.com"}, of_casey),
    Row("DELETE", "organizations/{organization}/members/{customer}/", DELETES, things=of_casey),
    Row("GET", "notifications/", all_users(200)),
    Row("GET", "notifications/preferences/", all_users(200)),
    Row("PATCH", "notifications/preferences/{any}/", all_users(404), {"mail": "never"}),
    Row("POST", "notifications/read/", all_users(204), {"ids": None}),
    Row("POST", "attachments/", all_users(415), {}),
    Row("GET", "attachments/{file}/", CASEYS, things=of_file("reply_file")),
    Row("GET", "attachments/{file}/", STAFFS, things=of_file("note_file")),
    Row("GET", "attachments/{file}/", OWN_FILE, things=of_file("pending")),
    Row("GET", "attachments/{file}/content/", CASEYS, things=of_file("reply_file")),
    Row("GET", "attachments/{file}/content/", STAFFS, things=of_file("note_file")),
    Row("GET", "attachments/{file}/content/", OWN_FILE, things=of_file("pending")),
    Row("DELETE", "attachments/{file}/", DISCARD, things=of_file("pending")),
    Row("DELETE", "attachments/{file}/", SENT, things=of_file("reply_file")),
]


def ids(row: Row) -> str:
    return f"{row.method} {row.path}"


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_every_endpoint_answers_each_user_as_in_the_table(cast: Cast, row: Row) -> None:
    stage = Stage(cast)
    found = [status_for(stage, name, row) for name in PEOPLE]
    assert dict(zip(PEOPLE, found, strict=True)) == dict(zip(PEOPLE, row.statuses, strict=True))


def filled(body: Any, things: dict[str, Any]) -> Any:
    """Return the body with the ids of things, such as "{note}"."""
    if not isinstance(body, dict):
        return body
    return {key: value.format(**things) if isinstance(value, str) else value for key, value in body.items()}


def status_for(stage: Stage, name: str | None, row: Row) -> int:
    """Send the request in a transaction that is rolled back, so that all users find the same data."""
    cache.clear()  # of attempts to sign in
    with transaction.atomic():
        program = ApiClient(getattr(stage.cast, name) if name else None)
        things = row.things(stage)
        path = row.path.format(any=uuid4(), **things)
        response = program.ask(row.method, path, filled(row.body, things))
        response.close()
        transaction.set_rollback(True)
    return response.status_code


def endpoints() -> set[tuple[str, str]]:
    """Return every URL x method."""
    return {
        (method.upper(), re.sub(r"<[^>]+>", "{}", str(entry.pattern)))
        for entry in [*people_api, *mail_api, *tickets_api]
        for method in ("get", "post", "patch", "delete")
        if hasattr(entry.callback.view_class, method)
    }


def test_table_covers_every_endpoint_and_method() -> None:
    assert {(row.method, re.sub(r"\{\w+\}", "{}", row.path)) for row in ROWS} == endpoints()


def test_user_cannot_revoke_another_users_token(cast: Cast) -> None:
    bao, casey = ApiClient(cast.bao), ApiClient(cast.casey)
    assert casey.ask("DELETE", f"auth/token/{bao.id}/").status_code == 404
    assert bao.get("me/").status_code == 200
    assert bao.ask("DELETE", f"auth/token/{bao.id}/").status_code == 204
    assert bao.get("me/").status_code == 401


# Everything that customers can get


def everything(program: ApiClient, ticket: Ticket) -> dict[str, Any]:
    """Return every response about a ticket that a user can get, by URL."""
    whole = f"tickets/{ticket.uuid}/"
    searches = [f"tickets/?q={word}&status=all" for word in ("Kryptonite", "Dana", "secret-plan", "Chair", "twice")]
    addresses = [
        "me/",
        "notifications/",
        "offices/",
        "statuses/",
        "priorities/",
        "assignees/",
        "tickets/?status=all",
        *searches,
    ]
    addresses += [
        whole,
        f"{whole}replies/",
        f"{whole}timeline/",
        f"{whole}replies/?size=1",
        f"{whole}timeline/?size=1",
    ]
    addresses += [f"{whole}replies/{row.pk}/" for row in ticket.replies.all()]
    addresses += [f"attachments/{row.pk}/" for row in ticket.attachments.all()]
    answers = {address: program.get(address) for address in addresses}
    answers |= {f"POST {whole}replies/": program.post(f"{whole}replies/", HELLO, Idempotency_Key="1")}
    answers |= {f"POST {whole}replies/ again": program.post(f"{whole}replies/", HELLO, Idempotency_Key="1")}
    return answers | {f"PATCH {whole}": program.patch(whole, {"priority": "High"})}


def words(answers: dict[str, Any]) -> str:
    return "\n".join(f"{answer.text} {dict(answer.headers)}" for answer in answers.values())


@pytest.mark.parametrize(("customer", "colleague", "which"), [("casey", "bao", "caseys"), ("bao", "emil", "baos")])
def test_no_response_to_a_customer_contains_a_note(cast: Cast, customer: str, colleague: str, which: str) -> None:
    stage = Stage(cast)
    ticket = getattr(stage, which)
    if which == "baos":
        services.update_ticket(ticket, by=cast.emil, values={"assigned_to": cast.dana})
        stage.write_note_and_reply(cast, ticket, cast.dana, cast.bao)
        services.update_ticket(ticket, by=cast.emil, values={"assigned_to": None})
    theirs = everything(ApiClient(getattr(cast, customer)), ticket)
    ours = everything(ApiClient(getattr(cast, colleague)), ticket)
    received, known = words(theirs), words(ours)
    note = ticket.replies.get(is_internal=True)
    # Bao's ticket was assigned to Dana and back, which Bao may see; her name is no secret there.
    hers = ["Dana", str(cast.dana.pk)] if which == "caseys" else []
    for secret in ("Kryptonite", "secret-plan", '"noted"', str(note.pk), str(note.attachments.get().pk), *hers):
        assert secret in known
        assert secret not in received


def test_responses_do_not_count_what_customers_cannot_see(cast: Cast) -> None:
    """Two sites that differ only by a note give a customer the same responses, except random values."""
    casey = ApiClient(cast.casey)
    path = f"tickets/{cast.ticket.uuid}/"
    asked = ["tickets/", path, f"{path}replies/", f"{path}timeline/"]

    def seen() -> list[tuple[Any, set[str]]]:
        answers = [casey.get(address) for address in asked]
        return [(answer.json(), set(answer.headers)) for answer in answers]

    before = seen()
    bao = ApiClient(cast.bao)
    staff_before = [bao.get(address).json() for address in asked]
    cast.reply(cast.bao, "Kryptonite", internal=True)
    assert seen() == before
    assert [bao.get(address).json() for address in asked] != staff_before


def test_customers_get_no_version_and_no_etag(cast: Cast) -> None:
    path = f"tickets/{cast.ticket.uuid}/"
    shown, staffs = ApiClient(cast.casey).get(path), ApiClient(cast.bao).get(path)
    assert ("ETag" in shown, "version" in shown.json()) == (False, False)
    assert (staffs["ETag"], staffs.json()["version"]) == ('"1"', 1)


def test_no_response_to_a_customer_names_an_internal_office(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"office": cast.fraud})
    theirs = words(everything(ApiClient(cast.casey), cast.ticket))
    ours = words(everything(ApiClient(cast.fatima), cast.ticket))
    assert "Fraud Desk" in ours
    assert "Fraud" not in theirs


def test_cursors_reveal_no_numbers(cast: Cast) -> None:
    for _ in range(2):
        cast.reply(cast.casey, "Hello")
    path = f"tickets/{cast.ticket.uuid}/replies/?size=1"
    first = ApiClient(cast.casey).get(path).json()["next"]
    assert re.search(r"after=gAAAA[\w%=-]{80,}$", first)  # sealed: Fernet


def test_cursor_length_does_not_depend_on_its_value(cast: Cast) -> None:
    first, second = (cast.reply(cast.casey, "Hello") for _ in range(2))
    path = f"tickets/{cast.ticket.uuid}/replies/?size=1"
    lengths = set()
    for number in (8, 98, 998, 10**6, 10**9):
        for place, reply in enumerate((first, second)):
            Reply.objects.filter(pk=reply.pk).update(number=number + place)
        lengths.add(len(ApiClient(cast.casey).get(path).json()["next"]))
    assert len(lengths) == 1
