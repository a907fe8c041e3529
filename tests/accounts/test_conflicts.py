"""Two requests that write the same unique value at once: the later one gets an error that says so, and no 500."""

from unittest.mock import patch

import pytest
from django.db import IntegrityError, models, transaction
from django.test import RequestFactory

from accounts.conflicts import is_conflict
from accounts.models import Office
from accounts.sign_in import sign_ups
from tests.support.cast import Cast
from tests.test_admin import filled_in, save, signed_in
from tickets.models import Priority
from tikm.api.problem_details import exception_handler

pytestmark = pytest.mark.django_db


@pytest.fixture
def rival(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have the first validation see none of the others' rows, as if they were committed just after it."""
    checked: list[str] = []

    def once(owner: object, name: str) -> None:
        check = getattr(owner, name)

        def see_nothing_once(*args: object, **kwargs: object) -> object:
            checked.append(name)
            return None if checked.count(name) == 1 else check(*args, **kwargs)

        monkeypatch.setattr(owner, name, see_nothing_once)

    once(models.Model, "validate_unique")
    once(models.Model, "validate_constraints")
    once(sign_ups, "is_taken")
    return checked


@pytest.mark.parametrize("kind", ["office", "status", "priority"])
def test_name_that_was_just_taken_is_a_form_error_in_the_admin(cast: Cast, rival: list[str], kind: str) -> None:
    rows = {
        "office": ("accounts", cast.fraud, cast.orders.name),
        "status": ("tickets", cast.status("Closed"), "Open"),
        "priority": ("tickets", cast.priority("Urgent"), "Low"),
    }
    app, row, taken = rows[kind]
    response = save(signed_in(cast.ada), f"/admin/{app}/{kind}/{row.pk}/change/", name=taken)
    assert rival.count("validate_unique") == 2
    assert (response.status_code, list(response.context["adminform"].form.errors)) == (200, ["name"])


def test_email_address_that_was_just_taken_is_a_form_error_in_the_admin(cast: Cast, rival: list[str]) -> None:
    page = f"/admin/accounts/user/{cast.bao.pk}/change/"
    response = save(signed_in(cast.ada), page, email=cast.casey.email)
    assert response.context["adminform"].form.errors == {"email": ["This email address is already in use."]}
    cast.bao.refresh_from_db()
    assert cast.bao.email != cast.casey.email


def test_name_that_was_just_taken_is_a_form_error_on_the_settings_page(cast: Cast, rival: list[str]) -> None:
    response = signed_in(cast.ada).post("/settings/priorities/new/", {"name": "Low", "color": "#123456"})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["name"])
    assert Priority.objects.filter(name="Low").count() == 1


def test_conflict_elsewhere_is_409_for_pages_and_the_api(cast: Cast) -> None:
    page = f"/admin/accounts/office/{cast.orders.pk}/change/"
    ada = signed_in(cast.ada)
    data = filled_in(ada, page, name=cast.fraud.name)
    with patch.object(models.Model, "validate_unique"), patch.object(models.Model, "validate_constraints"):
        response = ada.post(page, data)
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            Office.objects.create(name=cast.fraud.name)
    assert (response.status_code, "Nothing was changed" in response.text) == (409, True)
    problem = exception_handler(caught.value, {"request": RequestFactory().get("/api/v1/")})
    assert problem is not None
    assert (problem.status_code, problem.data["code"]) == (409, "conflict")


def test_other_integrity_errors_are_no_conflict(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="NOT NULL") as caught, transaction.atomic():
        Office.objects.create(name=None)
    assert not is_conflict(caught.value)
