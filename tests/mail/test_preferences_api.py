"""A person reads and changes their own notification preferences by the API."""

import pytest
from django.utils import translation

from mail.models import preferences
from tests.support.api_client import ApiClient
from tickets.notifications import preferences as alerts

pytestmark = pytest.mark.django_db
CUSTOMERS_KINDS = ["receipt", "reply", "status", "joined"]


def listed(program):
    return {row["kind"]: row for row in program.get("notifications/preferences/").json()}


def test_customers_have_the_kinds_that_may_concern_them_and_staff_have_more(cast):
    casey, bao = listed(ApiClient(cast.casey)), listed(ApiClient(cast.bao))
    assert list(casey) == CUSTOMERS_KINDS
    assert {"note", "assigned", "mention"} <= bao.keys()
    assert casey["receipt"] == {
        "kind": "receipt", "label": "Confirmation of a new ticket", "mail": "now", "mail_choices": ["now", "never"],
        "in_app": None, "desktop": None, "sound": None,
    }  # fmt: skip


def test_change_is_that_of_the_page_and_leaves_other_values(cast):
    casey, greta = ApiClient(cast.casey), ApiClient(cast.greta)
    before = listed(casey)
    changed = casey.patch("notifications/preferences/reply/", {"mail": "never", "sound": True})
    assert changed.json() == before["reply"] | {"mail": "never", "sound": True}
    assert listed(casey) == before | {"reply": changed.json()}
    assert preferences.modes_of(cast.casey)["reply"] == "never"
    assert alerts.alerts_of(cast.casey)["reply"] == ["desktop", "sound"]
    assert listed(greta) == before


@pytest.mark.parametrize(
    ("kind", "change", "status", "pointer"),
    [
        ("note", {"mail": "never"}, 404, None),  # never concerns a customer
        ("nothing", {"mail": "never"}, 404, None),
        ("status", {"mail": "unseen"}, 422, "#/mail"),
        ("receipt", {"mail": "now", "sound": True}, 422, "#/sound"),
        ("reply", {"mail": "sometimes"}, 422, "#/mail"),
        ("reply", {"sound": "yes"}, 422, "#/sound"),
        ("reply", {"email": "now"}, 422, "#/email"),
    ],
)
def test_wrong_change_is_refused_with_its_field(cast, kind, change, status, pointer):
    casey = ApiClient(cast.casey)
    before = listed(casey)
    answer = casey.patch(f"notifications/preferences/{kind}/", change)
    assert answer.status_code == status
    assert pointer in [error.get("pointer") for error in answer.json().get("errors", [{}])]
    assert listed(casey) == before


def test_labels_are_in_the_users_language(cast):
    cast.casey.language = "de"
    cast.casey.save()
    with translation.override("en"):
        assert listed(ApiClient(cast.casey))["status"]["label"] == "Ihr Ticket wurde geschlossen"
