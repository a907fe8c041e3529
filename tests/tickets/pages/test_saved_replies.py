"""Saved replies: who sees, changes and inserts them, and what stands for their variables."""

import pytest
from django.test import Client

from accounts.models import DeskSettings, User
from tests.support.cast import Cast
from tickets import policies
from tickets.configuration import variables
from tickets.models import SavedReply

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def saved(cast: Cast) -> dict[str, SavedReply]:
    """One reply of Bao's, one of Billing, one for all staff."""
    rows = {
        "bao": SavedReply(name="Bao's", text="Hi {{customer.first_name}}", owner=cast.bao),
        "billing": SavedReply(name="Billing's", text="About {{ reference }}", office=cast.billing),
        "all": SavedReply(name="All", text="Thanks, {{agent}}"),
    }
    SavedReply.objects.bulk_create(rows.values())
    return {name: SavedReply.objects.get(name=row.name) for name, row in rows.items()}


@pytest.mark.parametrize(
    ("name", "usable", "editable"),
    [
        ("bao", "bao billing all", "bao billing"),
        ("dana", "billing all", "billing"),
        ("emil", "all", ""),
        ("ada", "billing all", "billing all"),
        ("casey", "", ""),
        ("hiro", "", ""),
    ],
)
def test_saved_replies_by_user(
    cast: Cast, saved: dict[str, SavedReply], name: str, usable: str, editable: str
) -> None:
    user = getattr(cast, name)
    found = policies.usable_saved_replies(user)
    assert {key for key, row in saved.items() if row in found} == {*usable.split()}
    assert {key for key, row in saved.items() if policies.can_edit_saved(user, row)} == {*editable.split()}


def test_pages_follow_the_policies(cast: Cast, saved: dict[str, SavedReply]) -> None:
    address = "/settings/saved-replies/"
    assert signed_in(cast.casey).get(address).status_code == 403
    page = signed_in(cast.dana).get(address).content.decode()
    assert "Billing&#x27;s" in page
    assert "Bao&#x27;s" not in page
    statuses = {key: signed_in(cast.dana).get(f"{address}{row.pk}/").status_code for key, row in saved.items()}
    assert statuses == {"bao": 404, "billing": 200, "all": 403}
    assert signed_in(cast.dana).post(f"{address}{saved['all'].pk}/delete/").status_code == 403
    assert signed_in(cast.ada).post(f"{address}{saved['all'].pk}/delete/").status_code == 302
    assert not SavedReply.objects.filter(pk=saved["all"].pk).exists()


@pytest.mark.parametrize(("audience", "status"), [("mine", 302), ("everyone", 422), ("1000", 422)])
def test_agents_save_for_themselves_and_their_offices(cast: Cast, audience: str, status: int) -> None:
    data = {"name": "Thanks", "text": "Thank you.", "audience": audience}
    assert signed_in(cast.bao).post("/settings/saved-replies/new/", data).status_code == status
    assert SavedReply.objects.filter(owner=cast.bao).exists() == (status == 302)


def test_own_reply_becomes_one_of_an_office(cast: Cast, saved: dict[str, SavedReply]) -> None:
    data = {"name": "Shared", "text": "Hello", "audience": str(cast.billing.pk)}
    assert signed_in(cast.bao).post(f"/settings/saved-replies/{saved['bao'].pk}/", data).status_code == 302
    assert SavedReply.objects.get(pk=saved["bao"].pk).office == cast.billing


@pytest.mark.parametrize("text", ["Hi {{name}}", "{{ customer . name }}", " \n "])
def test_unknown_variable_or_empty_text_is_refused(cast: Cast, text: str) -> None:
    data = {"name": "Hi", "text": text, "audience": "mine"}
    response = signed_in(cast.bao).post("/settings/saved-replies/new/", data)
    assert response.status_code == 422
    assert text.strip() in response.content.decode()
    assert not SavedReply.objects.exists()


def test_text_is_filled_in_as_the_customer_may_read_it(cast: Cast) -> None:
    DeskSettings(staff_names=DeskSettings.StaffNames.FIRST).save()
    text = "{{customer}}, {{ customer.first_name }}: {{reference}} {{subject}} {{office}} {{agent}} {{x}} {{}} {"
    filled = variables.fill(text, cast.ticket, by=cast.bao)
    assert filled == f"Casey Rivers, Casey: {cast.ticket.reference} Charged twice Billing Bao {{{{x}}}} {{{{}}}} {{"
    cast.billing.is_internal = True
    cast.billing.save()
    cast.ticket.office = cast.billing
    assert "Billing" not in variables.fill("{{office}} {{agent}}", cast.ticket, by=cast.bao)


def test_composer_lists_the_most_used_first(cast: Cast, saved: dict[str, SavedReply]) -> None:
    address = f"{cast.ticket.get_absolute_url()}saved-replies/"
    bao = signed_in(cast.bao)
    assert bao.post(f"/tickets/saved-replies/{saved['billing'].pk}/used/").status_code == 204
    rows = bao.get(address).json()["saved_replies"]
    assert [row["name"] for row in rows] == ["Billing's", "All", "Bao's"]
    assert rows[0]["text"] == f"About {cast.ticket.reference}"
    assert signed_in(cast.casey).get(address).status_code == 404
    assert signed_in(cast.emil).get(address).status_code == 404
    assert signed_in(cast.dana).post(f"/tickets/saved-replies/{saved['bao'].pk}/used/").status_code == 404
