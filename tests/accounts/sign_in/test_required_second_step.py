"""STAFF_TWO_FACTOR_REQUIRED: staff without a second step set it up and do nothing else; customers are not asked."""

import pytest
from allauth.mfa.models import Authenticator
from channels.db import database_sync_to_async
from django.test import Client
from pytest_django import Settings

from accounts.sign_in import tokens
from realtime.models import Broadcast
from tests.accounts.sign_in.test_two_step import PAGE, enter, turn_on
from tests.support.cast import PASSWORD, Cast
from tests.support.sockets import connect

pytestmark = pytest.mark.django_db
ACTIVATE = f"{PAGE}totp/activate/"


@pytest.fixture(autouse=True)
def _required(settings: Settings, cast: Cast) -> None:
    settings.STAFF_TWO_FACTOR_REQUIRED = True


def pages(cast: Cast) -> list[str]:
    ticket = f"/tickets/{cast.ticket.uuid}/"
    return ["/", "/tickets/", ticket, "/profile/", "/profile/tokens/", "/profile/data/", "/admin/", "/api/docs/"]


@pytest.mark.parametrize("name", ["bao", "ada"])
def test_every_page_of_staff_leads_to_the_set_up(cast: Cast, name: str) -> None:
    client = enter(name)
    for path in pages(cast):
        response = client.get(path)
        expected = (403, "") if path.startswith("/api/") else (302, ACTIVATE)
        assert (response.status_code, response.headers.get("Location", "")) == expected, path
    reply = client.post(f"/tickets/{cast.ticket.uuid}/replies/", {"message": "Hello"})
    assert (reply.status_code, cast.ticket.replies.count()) == (302, 0)
    client.post("/reauthenticate/", {"password": PASSWORD})
    assert "Set it up to continue." in client.get(ACTIVATE).text


def test_programs_get_403(cast: Cast) -> None:
    client = enter("bao")
    channel = f"private-user.{cast.bao.pk}"
    for path in ("/api/v1/tickets/", f"/broadcasting/history?channel={channel}"):
        response = client.get(path)
        assert (response.status_code, response.json()["code"]) == (403, "second_step_required")


def test_staff_with_a_second_step_work_as_before(cast: Cast) -> None:
    client = enter("bao")
    turn_on(client)
    assert client.get(f"{PAGE}recovery-codes/").status_code == 200
    assert client.get("/tickets/").status_code == 200


def test_recovery_codes_alone_are_no_second_step(cast: Cast) -> None:
    client = enter("bao")
    turn_on(client)
    Authenticator.objects.filter(type=Authenticator.Type.TOTP).delete()
    assert client.get("/tickets/").status_code == 302


def test_customers_and_other_sites_are_not_asked(cast: Cast, settings: Settings) -> None:
    assert enter("casey").get("/tickets/").status_code == 200
    assert Client().get("/login/").status_code == 200
    settings.STAFF_TWO_FACTOR_REQUIRED = False
    assert enter("bao").get("/tickets/").status_code == 200


@pytest.mark.parametrize(("name", "status"), [("bao", 401), ("casey", 200)])
def test_tokens_of_staff_are_not_valid_before_the_set_up(cast: Cast, name: str, status: int) -> None:
    _, secret = tokens.issue(getattr(cast, name), name="script", days=1)
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/tickets/", headers=headers).status_code == status
    turn_on(enter(name))
    assert Client().get("/api/v1/tickets/", headers=headers).status_code == 200


@pytest.mark.parametrize(("name", "status"), [("bao", 403), ("casey", 201)])
def test_token_is_not_issued_for_a_password_alone(cast: Cast, name: str, status: int) -> None:
    body = {"email": f"{name}@example.com", "password": PASSWORD}
    assert Client().post("/api/v1/auth/token/", body, content_type="application/json").status_code == status


def test_removed_second_step_revokes_live_updates(cast: Cast) -> None:
    turn_on(enter("bao"))
    before = Broadcast.objects.filter(event__startswith="#").count()
    Authenticator.objects.filter(user=cast.bao, type=Authenticator.Type.TOTP).get().delete()
    assert Broadcast.objects.filter(event__startswith="#").count() > before


@pytest.mark.parametrize(("name", "is_authorized"), [("bao", False), ("casey", True)])
async def test_socket_of_staff_may_subscribe_to_nothing_before_the_set_up(
    cast: Cast, name: str, is_authorized: bool
) -> None:
    user = getattr(cast, name)
    socket = await connect(user)
    for channel in (f"private-user.{user.pk}", f"private-tickets.{cast.ticket.uuid}"):
        answer = await socket.subscribe(channel)
        assert (answer["event"] == "pusher_internal:subscription_succeeded") == is_authorized
    await socket.close()
    if not is_authorized:
        await database_sync_to_async(lambda: turn_on(enter(name)))()
        socket = await connect(user)
        answer = await socket.subscribe(f"private-tickets.{cast.ticket.uuid}")
        assert answer["event"] == "pusher_internal:subscription_succeeded"
        await socket.close()
