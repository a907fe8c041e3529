"""Scripts of the trusted origins may call the API and the live endpoints, and no others (Fetch standard: CORS)."""

from typing import Any

import pytest
from django.test import Client

from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tikm import environment

pytestmark = pytest.mark.django_db

TRUSTED = "https://portal.example.com"
PATHS = [
    "/api/v1/tickets/",
    "/api/v1/auth/token/",
    "/broadcasting/auth",
    "/broadcasting/user-auth",
    "/broadcasting/history",
]


@pytest.fixture(autouse=True)
def _trusted(settings: Any) -> None:
    origins = [TRUSTED, "https://*.shop.example.com"]
    settings.CORS_ALLOWED_ORIGINS = [TRUSTED]
    settings.CORS_ALLOWED_ORIGIN_REGEXES = environment.origin_patterns(origins)


def preflight(path: str, origin: str) -> Any:
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,x-csrf-token"}
    return Client().options(path, headers={"origin": origin, **wanted})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", [TRUSTED, "https://eu.shop.example.com", "https://shop.example.com"])
def test_preflight_of_a_trusted_origin_is_allowed_with_credentials(path: str, origin: str) -> None:
    answer = preflight(path, origin)
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == origin
    assert answer["Access-Control-Allow-Credentials"] == "true"
    allowed = answer["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key", "if-match", "x-csrf-token"} <= {*allowed}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "http://portal.example.com", "https://portal.example.com:8443", "null",
        "https://portal.example.com.evil.example", "https://evilshop.example.com", "https://shop.example.com.evil.example",
        "https://evil.example/.shop.example.com", "http://eu.shop.example.com",
    ],
)  # fmt: skip
def test_other_origins_are_not_allowed(path: str, origin: str) -> None:
    answer = preflight(path, origin)
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/login/", "/tickets/", "/admin/", "/apps/1/events", "/files/"])
def test_pages_and_the_signed_api_allow_no_origin(path: str) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(path, TRUSTED).headers


def test_answer_can_be_read_by_the_trusted_origin(cast: Cast) -> None:
    bao = ApiClient(cast.bao)
    answer = bao.get(f"tickets/{cast.ticket.uuid}/", origin=TRUSTED)
    assert answer["Access-Control-Allow-Origin"] == TRUSTED
    assert "etag" in answer["Access-Control-Expose-Headers"]
    assert "origin" in answer["Vary"].lower()
    assert "Access-Control-Allow-Origin" not in bao.get(f"tickets/{cast.ticket.uuid}/", origin="https://evil.example")


def test_error_can_be_read_by_the_trusted_origin(cast: Cast) -> None:
    answer = ApiClient().get("tickets/", origin=TRUSTED)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, TRUSTED)
