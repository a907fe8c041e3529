"""People by the API: admins find them, change roles and offices, deactivate them and hand over their tickets."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Office, User
from tests.support.api_client import ApiClient
from tests.support.cast import PASSWORD, Cast
from tickets import services
from tickets.models import Ticket, TimelineEntry
from tickets.people import handover
from tickets.privacy.erasure import erase_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(cast: Cast) -> ApiClient:
    """An admin's client."""
    return ApiClient(cast.ada)


def page_of(person: User) -> str:
    return f"people/{person.pk}/"


def names_in(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()["results"]]


def refusal(answer: Any) -> tuple[int, list[str]]:
    """Return the status, and the fields that it is about."""
    return answer.status_code, [error["pointer"] for error in answer.json().get("errors", ())]


def again(person: User) -> User:
    return User.objects.get(pk=person.pk)


def test_list_has_staff_and_finds_customers_by_their_words(cast: Cast, ada: ApiClient) -> None:
    staff = names_in(ada.get("people/"))
    assert "Bao Nguyen" in staff
    assert "Casey Rivers" not in staff
    assert names_in(ada.get("people/?q=cásey RIV")) == ["Casey Rivers"]
    assert names_in(ada.get("people/?q=casey@example.com")) == ["Casey Rivers"]
    assert names_in(ada.get("people/?q=zzz")) == []


def test_pages_of_the_list_have_everyone_once(cast: Cast, ada: ApiClient) -> None:
    User.objects.create_user('"a\\ b"@example.com', PASSWORD, name="With a space")
    for query in ("", "&q=example.com"):
        whole, parts, address = names_in(ada.get(f"people/?size=100{query}")), [], f"people/?size=2{query}"
        while address:
            answer = ada.get(address)
            parts += names_in(answer)
            address = answer.json()["next"]
        assert parts == whole
    cursor = ada.get("people/?size=1").json()["next"]
    assert ada.get(f"{cursor}&q=bao").json()["errors"][0]["parameter"] == "after"


@pytest.mark.parametrize("q", ["%00", "x" * 101, "", "a&q=b"])
def test_invalid_words_are_refused_by_name(cast: Cast, ada: ApiClient, q: str) -> None:
    answer = ada.get(f"people/?q={q}")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "q")


def test_person_has_what_the_settings_show(cast: Cast, ada: ApiClient) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    closed = services.open_ticket(by=cast.casey, subject="Old", content="Done", office=cast.billing)
    services.update_ticket(closed, by=cast.ada, values={"assigned_to": cast.bao, "status": cast.status("Closed")})
    Authenticator.objects.create(user=cast.bao, type=Authenticator.Type.TOTP, data={})
    found = ada.get(page_of(cast.bao)).json()
    assert found == {
        "id": str(cast.bao.pk),
        "name": "Bao Nguyen",
        "email": "bao@example.com",
        "role": "agent",
        "offices": [office.name for office in cast.bao.offices.all()],
        "is_active": True,
        "last_login": None,
        "has_two_factor": True,
        "open_tickets": 1,
    }
    assert found in ada.get("people/").json()["results"]
    dana = ada.get(page_of(cast.dana)).json()
    assert (dana["has_two_factor"], dana["open_tickets"]) == (False, 0)


def test_name_role_and_offices_are_changed_and_the_others_stay(cast: Cast, ada: ApiClient) -> None:
    Office.objects.create(name="Support")
    changed = ada.patch(page_of(cast.casey), {"role": "agent", "offices": ["support"], "name": "Casey R."})
    assert changed.json() == ada.get(page_of(cast.casey)).json()
    casey = again(cast.casey)
    assert (casey.name, casey.role, [office.name for office in casey.offices.all()]) == (
        "Casey R.",
        "agent",
        ["Support"],
    )
    ada.patch(page_of(casey), {"name": "Casey"})
    casey = again(casey)
    assert (casey.name, casey.role, casey.offices.count()) == ("Casey", "agent", 1)
    ada.patch(page_of(casey), {"role": "customer"})
    casey = again(casey)
    assert (casey.role, casey.offices.count()) == ("customer", 0)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "customer"}])
def test_open_tickets_go_to_the_named_colleague(cast: Cast, ada: ApiClient, change: dict[str, Any]) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    bao = ApiClient(cast.bao)
    assert bao.get("tags/").status_code == 200
    answer = ada.patch(page_of(cast.bao), change | {"hand_over_to": str(cast.dana.pk)})
    assert (answer.status_code, answer.json()["open_tickets"]) == (200, 0)
    assert Ticket.objects.get(pk=cast.ticket.pk).assigned_to == cast.dana
    assert TimelineEntry.objects.filter(ticket=cast.ticket).latest("pk").actor == cast.ada
    assert bao.get("tags/").status_code in (401, 403)


def test_deactivated_person_may_sign_in_again_once_activated(cast: Cast, ada: ApiClient) -> None:
    assert ada.patch(page_of(cast.bao), {"is_active": False}).json()["is_active"] is False
    assert not Client().login(email="bao@example.com", password=PASSWORD)
    assert ada.patch(page_of(cast.bao), {"is_active": True}).json()["is_active"] is True
    assert Client().login(email="bao@example.com", password=PASSWORD)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "see www.example.com"}, "#/name"),
        ({"name": ""}, "#/name"),
        ({"role": "owner"}, "#/role"),
        ({"role": "customer", "offices": ["Billing"]}, "#/offices"),
        ({"offices": ["Nowhere"]}, "#/offices/0"),
        ({"is_active": "no"}, "#/is_active"),
        ({"is_active": False, "hand_over_to": "casey"}, "#/hand_over_to"),
        ({"is_active": False, "hand_over_to": "bao"}, "#/hand_over_to"),
        ({"hand_over_to": "dana"}, "#/hand_over_to"),
        ({"email": "other@example.com"}, "#/email"),
    ],
)
def test_invalid_field_is_named_and_nothing_changes(
    cast: Cast, ada: ApiClient, fields: dict[str, Any], pointer: str
) -> None:
    before = ada.get(page_of(cast.bao))
    if "hand_over_to" in fields:
        fields = fields | {"hand_over_to": str(getattr(cast, fields["hand_over_to"]).pk)}
    assert refusal(ada.patch(page_of(cast.bao), {"name": "Changed"} | fields)) == (422, [pointer])
    assert ada.get(page_of(cast.bao)).json() == before.json()


def test_admins_keep_their_own_role_and_account(cast: Cast, ada: ApiClient) -> None:
    for change in ({"role": "customer"}, {"is_active": False}):
        answer = ada.patch(page_of(cast.ada), change)
        assert (answer.status_code, answer.json()["detail"].startswith("Only another admin can")) == (403, True)
    assert (again(cast.ada).role, again(cast.ada).is_active) == ("admin", True)
    assert ada.patch(page_of(cast.ada), {"name": "Ada", "role": "admin", "is_active": True}).status_code == 200


@pytest.mark.parametrize(("field", "value"), [("role", "agent"), ("is_active", False)])
def test_last_active_admin_stays(cast: Cast, field: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    second = User.objects.create_superuser("second@example.com", PASSWORD, name="Second")
    client = ApiClient(second)
    assert client.patch(page_of(cast.ada), {field: value}).status_code == 200
    User.objects.filter(pk=cast.ada.pk).update(role="admin", is_active=True)
    # The other one is gone between the check of the token and the lock.
    monkeypatch.setattr("accounts.policies.other_admins", lambda user: User.objects.none())
    assert refusal(client.patch(page_of(cast.ada), {field: value})) == (422, [f"#/{field}"])


def test_erased_person_is_found_nowhere(cast: Cast, ada: ApiClient) -> None:
    assert ada.get(page_of(cast.greta)).status_code == 200
    erase_person(cast.greta, by=cast.ada)
    assert ada.get(page_of(cast.greta)).status_code == 404
    assert ada.patch(page_of(cast.greta), {"is_active": True}).status_code == 404
    assert names_in(ada.get(f"people/?q={again(cast.greta).email}")) == []
    with pytest.raises(PermissionDenied):  # as one whose page was opened before
        handover.change_person(cast.greta, by=cast.ada, values={"name": "Greta"})


def test_change_of_an_outdated_version_is_refused(cast: Cast, ada: ApiClient) -> None:
    tag = ada.get(page_of(cast.bao))["ETag"]
    handover.update_person(again(cast.bao), by=cast.ada, name="Bao N.", role="agent", offices=[])
    answer = ada.patch(page_of(cast.bao), {"role": "customer"}, If_Match=tag)
    assert (answer.status_code, answer.json()["code"]) == (412, "version_outdated")
    assert again(cast.bao).is_agent
    tag = ada.get(page_of(cast.bao))["ETag"]
    changed = ada.patch(page_of(cast.bao), {"role": "customer"}, If_Match=tag)
    assert changed.status_code == 200
    assert changed["ETag"] == ada.get(page_of(cast.bao))["ETag"] != tag


def test_list_of_any_length_takes_the_same_queries(cast: Cast, ada: ApiClient) -> None:
    rows, queries = [], []
    for size in (1, 1, 100):  # the first request also records the use of the token
        with CaptureQueriesContext(connection) as found:
            rows.append(len(names_in(ada.get(f"people/?size={size}"))))
        queries.append(len(found))
    assert rows[1] < rows[2]
    assert queries[1] == queries[2]
