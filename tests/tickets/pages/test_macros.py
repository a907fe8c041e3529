"""Macros: their settings pages."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tickets import policies
from tickets.models import Macro, Tag

pytestmark = pytest.mark.django_db
ADDRESS = "/settings/macros/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def saved(cast: Cast) -> dict[str, Macro]:
    """One macro of Bao's, one of Billing, one for all staff."""
    rows = {"bao": Macro(name="Bao's", owner=cast.bao), "billing": Macro(name="Billing's", office=cast.billing)}
    rows["all"] = Macro(name="All")
    for row in rows.values():
        row.actions = {"follow": True}
        row.save()
    return rows


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
def test_macros_by_user(cast: Cast, saved: dict[str, Macro], name: str, usable: str, editable: str) -> None:
    user = getattr(cast, name)
    found = policies.usable_macros(user)
    assert {key for key, row in saved.items() if row in found} == {*usable.split()}
    assert {key for key, row in saved.items() if policies.can_edit_saved(user, row)} == {*editable.split()}


def test_pages_follow_the_policies(cast: Cast, saved: dict[str, Macro]) -> None:
    assert signed_in(cast.casey).get(ADDRESS).status_code == 403
    page = signed_in(cast.dana).get(ADDRESS).text
    assert "Billing&#x27;s" in page
    assert "Bao&#x27;s" not in page
    statuses = {key: signed_in(cast.dana).get(f"{ADDRESS}{row.pk}/").status_code for key, row in saved.items()}
    assert statuses == {"bao": 404, "billing": 200, "all": 403}
    assert signed_in(cast.dana).post(f"{ADDRESS}{saved['all'].pk}/delete/").status_code == 403
    assert signed_in(cast.ada).post(f"{ADDRESS}{saved['all'].pk}/delete/").status_code == 302
    assert not Macro.objects.filter(pk=saved["all"].pk).exists()


def test_form_makes_and_changes_a_macro(cast: Cast) -> None:
    refund, vip = (Tag.objects.create(name=name, color="red") for name in ("refund", "vip"))
    closed = cast.status("Closed").pk
    values: dict[str, Any] = {
        "name": "Refunded",
        "status": closed,
        "assigned_to": "me",
        "move_to": cast.orders.pk,
        "add_tags": [refund.pk, vip.pk],
        "reply": "Hi {{customer}}",
        "follow": "on",
        "audience": str(cast.billing.pk),
    }
    bao = signed_in(cast.bao)
    assert bao.post(f"{ADDRESS}new/", values).status_code == 302
    macro = Macro.objects.get()
    assert (macro.name, macro.owner, macro.office) == ("Refunded", None, cast.billing)
    assert macro.actions == {
        "status": closed,
        "assigned_to": "me",
        "office": cast.orders.pk,
        "add_tags": [refund.pk, vip.pk],
        "follow": True,
        "reply": "Hi {{customer}}",
    }
    page = bao.get(f"{ADDRESS}{macro.pk}/").text
    assert f'<option value="{closed}" selected>' in page
    assert "Hi {{customer}}</textarea>" in page
    assert page.count("checked") == 3  # two tags, and follow
    values = {"name": "Refunded", "assigned_to": str(cast.dana.pk), "audience": "mine"}
    assert bao.post(f"{ADDRESS}{macro.pk}/", values).status_code == 302
    macro.refresh_from_db()
    assert (macro.owner, macro.actions) == (cast.bao, {"assigned_to": str(cast.dana.pk)})


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, "Choose at least one action."),
        ({"reply": "Hi {{name}}"}, "There is no variable {{name}}."),
        ({"status": "999"}, "Unknown value."),
        ({"status": "Closed", "snooze": "later"}, "A closed ticket can&#x27;t be snoozed."),
        ({"follow": "on", "audience": "everyone"}, "everyone is not one of the available choices"),
    ],
)
def test_form_refuses_a_macro_that_cannot_work(cast: Cast, values: dict[str, str], error: str) -> None:
    answer = signed_in(cast.bao).post(f"{ADDRESS}new/", {"name": "M", "audience": "mine", **values})
    assert (answer.status_code, error in answer.text) == (422, True)
    assert not Macro.objects.exists()


def test_pages_say_what_no_longer_exists_until_it_is_saved_without(cast: Cast) -> None:
    macro = Macro.objects.create(name="Old", owner=cast.bao, actions={"status": 999, "follow": True})
    bao, problem = signed_in(cast.bao), "The status of this macro no longer exists."
    assert problem in bao.get(ADDRESS).text
    assert problem in bao.get(f"{ADDRESS}{macro.pk}/").text
    assert bao.post(f"{ADDRESS}{macro.pk}/", {"name": "Old", "follow": "on", "audience": "mine"}).status_code == 302
    assert problem not in bao.get(ADDRESS).text


def test_list_says_how_often_a_macro_was_used(cast: Cast) -> None:
    macro = Macro.objects.create(name="Old", owner=cast.bao, actions={"follow": True})
    assert "used 0 times" in signed_in(cast.bao).get(ADDRESS).text
    macro.count_use()
    page = signed_in(cast.bao).get(ADDRESS).text
    assert "used 1 time, last" in " ".join(page.split())
