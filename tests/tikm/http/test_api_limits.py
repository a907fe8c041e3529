"""API rate limits: per token, user and address, with Retry-After."""

from typing import Any

import pytest
from django.test import Client

from tests.support.api_client import ApiClient
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


@pytest.fixture
def rates(settings: Any) -> dict[str, str]:
    settings.API_RATES = {"address": "100/minute", "user": "100/minute", "token": "100/minute"}
    return settings.API_RATES


def statuses(*programs: ApiClient) -> list[int]:
    return [program.get("me/").status_code for program in programs]


def test_limit_of_one_token_does_not_affect_the_users_others(cast: Cast, rates: dict[str, str]) -> None:
    rates["token"] = "2/minute"
    busy, other = ApiClient(cast.bao), ApiClient(cast.bao)
    assert statuses(busy, busy, busy, other) == [200, 200, 429, 200]
    refused = busy.get("me/")
    assert (refused["Retry-After"], refused["Content-Type"]) == ("60", "application/problem+json")


def test_user_limit_counts_tokens_and_sessions_together(cast: Cast, rates: dict[str, str]) -> None:
    rates["user"] = "3/minute"
    browser = Client()
    browser.force_login(cast.bao)
    assert statuses(ApiClient(cast.bao), ApiClient(cast.bao)) == [200, 200]
    assert [browser.get(ME).status_code for _ in range(2)] == [200, 429]
    assert statuses(ApiClient(cast.dana)) == [200]


def test_address_is_counted_before_authentication(cast: Cast, rates: dict[str, str]) -> None:
    rates["address"] = "2/minute"
    guesses = [Client().get(ME, headers={"Authorization": f"Bearer {number}"}) for number in range(3)]
    assert [answer.status_code for answer in guesses] == [401, 401, 429]
    assert (guesses[-1]["Retry-After"], guesses[-1].json()["code"]) == ("60", "throttled")
    assert Client(REMOTE_ADDR="192.0.2.7").get(ME).status_code == 401
    assert Client().get("/login/").status_code == 200


def test_address_limit_ignores_untrusted_headers(cast: Cast, rates: dict[str, str]) -> None:
    rates["address"] = "2/minute"
    answers = [Client().get(ME, headers={"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_addresses_of_one_ipv6_network_share_a_limit(cast: Cast, rates: dict[str, str]) -> None:
    rates["address"] = "2/minute"
    asked = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]
    assert [Client(REMOTE_ADDR=address).get(ME).status_code for address in asked] == [401, 401, 429, 401]


def test_address_limit_works_behind_a_unix_socket(cast: Cast, rates: dict[str, str]) -> None:
    assert Client(REMOTE_ADDR="").get(ME, headers=ApiClient(cast.bao).headers).status_code == 200
