"""What a first-time integrator tries: it works, or the error says what does."""

from typing import Any

import pytest

from tests.support.api_client import API, ApiClient
from tests.support.cast import PASSWORD, Cast
from tickets import services
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

SITE = "http://testserver"


def detail(answer: Any) -> str:
    """Return all texts of a problem document."""
    assert answer["Content-Type"] == "application/problem+json"
    return " ".join([answer.json()["detail"], *(error["detail"] for error in answer.json().get("errors", ()))])


def test_token_needs_no_name(cast: Cast) -> None:
    answer = ApiClient().post("auth/token/", {"email": cast.bao.email, "password": PASSWORD})
    assert (answer.status_code, answer.json()["name"]) == (201, "API token")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
@pytest.mark.parametrize("path", ["auth/token/", "tickets/"])
def test_other_content_types_get_a_hint_to_json(cast: Cast, content_type: str, path: str) -> None:
    program = ApiClient(cast.bao)
    answer = program.client.post(f"{API}/{path}", b"a=b", content_type=content_type, headers=program.headers)
    assert answer.status_code == 415
    assert "application/json" in detail(answer)
    assert content_type in detail(answer)


def test_reply_with_files_names_the_upload_endpoint(cast: Cast) -> None:
    program = ApiClient(cast.bao)
    path = f"{API}/tickets/{cast.ticket.uuid}/replies/"
    answer = program.client.post(path, {"message": "Hello"}, headers=program.headers)
    assert (answer.status_code, "/api/v1/attachments/" in detail(answer)) == (415, True)


def test_upload_as_json_names_multipart(cast: Cast) -> None:
    answer = ApiClient(cast.bao).post("attachments/", {"file": "x"})
    assert (answer.status_code, "multipart/form-data" in detail(answer)) == (415, True)


def references(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {ticket["reference"] for ticket in answer.json()["results"]}


@pytest.fixture
def closed(cast: Cast) -> Ticket:
    """A closed ticket beside the cast's open one."""
    ticket = services.open_ticket(by=cast.casey, subject="Chair", content="Broken", office=cast.billing)
    services.update_ticket(ticket, by=cast.bao, values={"status": cast.status("Closed")})
    return ticket


@pytest.mark.parametrize(
    ("query", "finds_open", "finds_closed"),
    [
        ("", True, True),
        ("status=all", True, True),
        ("status=active", True, False),
        ("status=closed", False, True),
        ("status=Open", True, False),
        ("status=cLOSED", False, True),
        ("office=Billing", True, True),
        ("office=billing&status=open", True, False),
        ("office=orders", False, False),
        ("priority=MEDIUM", True, True),
        ("assignee=none", True, True),
        ("assignee=bao nguyen", False, False),
        ("q=chair", False, True),
        ("search=chair", False, True),
        ("search=chair&status=active", False, False),
    ],
)
def test_list_is_filtered_by_names_in_any_case(
    cast: Cast, closed: Ticket, query: str, finds_open: bool, finds_closed: bool
) -> None:
    found = references(ApiClient(cast.bao).get(f"tickets/?{query}"))
    assert (cast.ticket.reference in found, closed.reference in found) == (finds_open, finds_closed)


def test_statuses_named_like_ids_are_matched_by_id(cast: Cast, closed: Ticket) -> None:
    """The status with the id of "Open" keeps being found by it, whatever another one is called."""
    other = cast.status("On Hold")
    other.name = str(cast.ticket.status_id)
    other.save()
    bao = ApiClient(cast.bao)
    assert references(bao.get(f"tickets/?status={cast.ticket.status_id}")) == {cast.ticket.reference}
    other.name = "999"
    other.save()
    assert bao.get("tickets/?status=999").status_code == 400


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ("state=open", ["status", "search", "office", "size"]),
        ("status=Opened", ["active", "closed", "all", "Open", "On Hold"]),
        ("priority=Hihg", ["Low", "Urgent"]),
        ("office=Nowhere", ["Billing", "Orders"]),
        ("assignee=zoe", ["me", "none", "Bao Nguyen"]),
        ("sort=newest", []),
        ("q=a&search=b", ["q", "search"]),
    ],
)
def test_errors_list_what_there_is(cast: Cast, query: str, listed: list[str]) -> None:
    answer = ApiClient(cast.bao).get(f"tickets/?{query}")
    assert answer.status_code == 400
    assert [name for name in listed if name not in detail(answer)] == []


def test_customers_are_not_shown_names_of_internal_offices(cast: Cast) -> None:
    body = {"subject": "Chair", "content": "Broken", "office": "Nowhere"}
    said = detail(ApiClient(cast.casey).post("tickets/", body))
    assert ("Billing" in said, cast.fraud.name in said) == (True, False)


@pytest.mark.parametrize(
    ("body", "listed"),
    [
        ({"status": "Opened"}, ["Open", "Closed"]),
        ({"status": 10**6}, ["Open", "Closed"]),
        ({"priority": "Hihg"}, ["Low", "Urgent"]),
        ({"office": "Nowhere"}, ["Billing", "Orders"]),
    ],
)
def test_errors_of_a_body_list_the_choices(cast: Cast, body: dict[str, Any], listed: list[str]) -> None:
    answer = ApiClient(cast.bao).patch(f"tickets/{cast.ticket.uuid}/", body)
    assert answer.status_code == 422
    assert [name for name in listed if name not in detail(answer)] == []


def test_names_are_taken_in_any_case_and_me_is_the_caller(cast: Cast) -> None:
    body = {"status": "on hold", "priority": "HIGH", "assigned_to": "me"}
    ticket = ApiClient(cast.bao).patch(f"tickets/{cast.ticket.uuid}/", body).json()
    assert (ticket["status"], ticket["priority"]) == ("On Hold", "High")
    assert ticket["assigned_to"] == {"id": str(cast.bao.pk), "name": "Bao Nguyen"}


def test_addresses_are_absolute(cast: Cast, closed: Ticket) -> None:
    bao = ApiClient(cast.bao)
    page = bao.get("tickets/?size=1&search=c").json()
    assert page["next"].startswith(f"{SITE}{API}/tickets/?")
    following = bao.get(page["next"]).json()
    assert following["previous"].startswith(f"{SITE}{API}/tickets/?")
    ticket = page["results"][0]
    assert bao.get(ticket["url"]).json()["uuid"] == ticket["uuid"]
    assert ticket["html_url"] == f"{SITE}/tickets/{ticket['uuid']}/"
