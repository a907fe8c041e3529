"""The API of the current user and of tokens, including two-step sign-in."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import ApiToken, User
from accounts.sign_in import tokens
from tests.accounts.sign_in.test_two_step import code_of, enter, recovery_codes, turn_on
from tests.support.api_client import ApiClient
from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.django_db
PHONE = {"email": "bao@example.com", "password": PASSWORD, "name": "Phone"}


def ask(**fields: Any) -> Any:
    return ApiClient().post("auth/token/", PHONE | fields)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_password_creates_a_working_token(cast: Cast) -> None:
    made = ask()
    assert made.status_code == 201
    assert tokens.bearer(made.json()["token"])[0] == cast.bao
    me = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {made.json()['token']}"}).json()
    assert (me["name"], me["email"], me["role"]) == ("Bao Nguyen", "bao@example.com", "agent")
    assert me["offices"] == [{"id": cast.billing.pk, "name": "Billing", "channel": cast.billing.channel}]
    assert (me["channel"], me["socket_url"]) == (cast.bao.channel, "/app/tikm")


@pytest.mark.parametrize(
    "wrong", [{"password": "no"}, {"email": "unknown@example.com"}, {"email": "hiro@example.com"}]
)
def test_wrong_credentials_do_not_reveal_which_is_wrong(cast: Cast, wrong: dict[str, str]) -> None:
    assert code(ask(**wrong)) == (401, "wrong_credentials")
    assert not ApiToken.objects.exists()


def test_two_step_code_is_required(cast: Cast) -> None:
    secret = turn_on(enter("bao"))
    assert code(ask()) == (401, "code_required")
    assert code(ask(code="000000")) == (401, "wrong_code")
    assert not ApiToken.objects.exists()
    now = code_of(secret)
    assert ask(code=now).status_code == 201
    assert code(ask(code=now)) == (401, "wrong_code")  # a code counts once
    assert code(ask(password="no", code=code_of(secret))) == (401, "wrong_credentials")


def test_recovery_code_creates_one_token(cast: Cast) -> None:
    browser = enter("bao")
    turn_on(browser)
    recovery = recovery_codes(browser)[0]
    assert [ask(code=recovery).status_code for _ in range(2)] == [201, 401]


def test_password_and_code_attempts_are_limited(cast: Cast) -> None:
    answers = [ask(password="no") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1]["Retry-After"] == "300"
    cache.clear()
    turn_on(enter("bao"))
    answers = [ask(code="000000") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


def test_unconfirmed_email_address_does_not_sign_in(cast: Cast) -> None:
    User.objects.create_user("new@example.com", PASSWORD, name="New").emailaddress_set.update(verified=False)
    assert ask(email="new@example.com").status_code == 403
    assert not ApiToken.objects.exists()


def test_token_cannot_create_tokens(cast: Cast) -> None:
    program = ApiClient(cast.bao)
    assert program.post("auth/token/", {"name": "Another"}).status_code == 422
    assert ApiToken.objects.count() == 1


def test_api_limits_the_number_of_tokens(cast: Cast) -> None:
    for _ in range(20):
        tokens.issue(cast.bao, name="x", days=30)
    assert ask().status_code == 422
    assert ApiToken.objects.count() == 20


@pytest.mark.parametrize(
    ("field", "value"), [("days", 36500), ("days", "30"), ("days", [30]), ("name", ""), ("x", 1)]
)
def test_invalid_fields_are_named(cast: Cast, field: str, value: Any) -> None:
    answer = ask(**{field: value})
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"#/{field}"]


def test_tokens_are_listed_without_secrets_and_revoked(cast: Cast) -> None:
    program, other = ApiClient(cast.bao), ApiClient(cast.bao)
    listed = program.get("auth/token/")
    assert [(row["id"], row["is_current"]) for row in listed.json()] == [
        (str(other.id), False),
        (str(program.id), True),
    ]
    for token in ApiToken.objects.all():
        assert token.digest not in listed.text
    assert not {program.token, other.token, program.token[:15]} & set(listed.text.split('"'))
    assert program.ask("DELETE", f"auth/token/{other.id}/").status_code == 204
    assert (other.get("me/").status_code, program.get("me/").status_code) == (401, 200)


def test_customers_see_no_internal_office_and_no_colleagues(cast: Cast) -> None:
    casey, bao = ApiClient(cast.casey), ApiClient(cast.bao)
    assert [office["name"] for office in casey.get("offices/").json()] == ["Billing", "Orders"]
    assert "Fraud Desk" in bao.get("offices/").text
    assert casey.get("assignees/").json() == []
    assert {row["name"] for row in bao.get("assignees/").json()} > {"Ada Admin", "Dana Okafor"}
