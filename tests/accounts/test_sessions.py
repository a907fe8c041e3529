"""Active sessions: users see where they are signed in, and sign out there."""

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.sign_in.sessions import browser_name
from realtime.broadcasting.channel_layer import REAUTHORIZE_CHANNEL
from realtime.models import Broadcast
from tests.support.cast import PASSWORD, Cast
from tests.support.sockets import connect, do

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


def signed_in(name: str, user_agent: str = FIREFOX, **options: Any) -> Client:
    client = Client(headers={"user-agent": user_agent}, **options)
    assert client.post("/login/", {"login": f"{name}@example.com", "password": PASSWORD}).status_code == 302
    return client


def sign_in_of(client: Client) -> UserSession:
    return UserSession.objects.get(session_key=client.session.session_key)


def cookie_of(client: Client) -> str:
    return f"sessionid={client.cookies['sessionid'].value}"


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def test_user_sees_only_their_own_sessions(cast: Cast) -> None:
    here, _phone, _other = signed_in("casey"), signed_in("casey", PHONE), signed_in("bao")
    page = here.get("/profile/sign-ins/").text
    assert page.count('class="sheet-row"') == 2
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert page.count("This device") == 1


def test_ending_a_session_signs_out_and_closes_its_sockets(cast: Cast) -> None:
    here, there = signed_in("casey"), signed_in("casey", PHONE)
    Broadcast.objects.all().delete()
    assert here.post(f"/profile/sign-ins/{sign_in_of(there).pk}/end/").status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert str(cast.casey.pk) in Broadcast.objects.get(event=REAUTHORIZE_CHANNEL).staff


async def test_only_sockets_of_the_ended_session_are_closed(live_cast: Cast) -> None:
    here, there = await do(signed_in, "casey"), await do(signed_in, "casey", PHONE)
    ended, stays = await connect(cookie=cookie_of(there)), await connect(cookie=cookie_of(here))
    await do(here.post, f"/profile/sign-ins/{(await do(sign_in_of, there)).pk}/end/")
    while (frame := await ended.frame())["event"] != "closed":
        assert frame
    assert frame["code"] == 4009
    assert (await stays.subscribe(live_cast.casey.channel))["event"] == "pusher_internal:subscription_succeeded"
    await stays.close()


def test_ending_other_sessions_keeps_the_current_one(cast: Cast) -> None:
    here, others = signed_in("casey"), [signed_in("casey"), signed_in("casey", PHONE)]
    other_user = signed_in("greta")
    here.post("/profile/sign-ins/others/end/")
    assert (is_in(here), [is_in(other) for other in others], is_in(other_user)) == (True, [False, False], True)


def test_user_cannot_end_the_session_of_another_user(cast: Cast) -> None:
    casey, bao = signed_in("casey"), signed_in("bao")
    assert casey.post(f"/profile/sign-ins/{sign_in_of(bao).pk}/end/").status_code == 404
    assert is_in(bao)


def test_new_password_ends_other_sessions(cast: Cast) -> None:
    here, there = signed_in("casey"), signed_in("casey", PHONE)
    words = {"oldpassword": PASSWORD, "password1": "another-phrase-9", "password2": "another-phrase-9"}
    here.post("/profile/password/", words)
    assert (is_in(here), is_in(there)) == (True, False)
    assert UserSession.objects.filter(user=cast.casey).count() == 1


def test_expired_session_is_not_listed(cast: Cast) -> None:
    here, there = signed_in("casey"), signed_in("casey", PHONE)
    there.post("/logout/")
    assert here.get("/profile/sign-ins/").text.count('class="sheet-row"') == 1


def test_activity_is_recorded_every_five_minutes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in("casey")
    client.get("/profile/")
    first = sign_in_of(client).last_seen_at
    client.get("/profile/")
    assert sign_in_of(client).last_seen_at == first
    session = client.session
    session["seen_at"] -= 301
    session.save()
    client.get("/profile/")
    assert sign_in_of(client).last_seen_at > first


def test_sign_in_works_without_a_client_address(cast: Cast) -> None:
    client = Client(REMOTE_ADDR="")
    client.post("/login/", {"login": "casey@example.com", "password": PASSWORD})
    assert sign_in_of(client).ip == "0.0.0.0"


def test_session_list_query_count_is_independent_of_rows(cast: Cast, django_assert_num_queries: Any) -> None:
    client = signed_in("casey")
    client.get("/profile/sign-ins/")
    with django_assert_num_queries(7):
        client.get("/profile/sign-ins/")
    for _ in range(10):
        signed_in("casey", PHONE)
    with django_assert_num_queries(7):
        client.get("/profile/sign-ins/")


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [(FIREFOX, "Firefox on Linux"), (PHONE, "Safari on iPhone"), ("curl/8", "Unknown browser")],
)
def test_browser_names_are_readable(user_agent: str, words: str) -> None:
    assert browser_name(user_agent) == words


def test_page_can_ask_who_is_signed_in(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.casey)
    response = client.get("/session/")
    assert response.json()["user"] == str(cast.casey.pk)
    assert "no-store" in response["Cache-Control"]
    logout = {"csrfmiddlewaretoken": response.json()["csrf_token"]}
    assert client.post("/logout/", logout).status_code == 302
    assert client.get("/session/").json() == {"user": None, "csrf_token": None}


@pytest.mark.parametrize("path", ["/session/", "/broadcasting/history?channel=private-user.1"])
def test_late_answer_about_an_ended_session_keeps_the_cookie_of_the_next(cast: Cast, path: str) -> None:
    client = Client()
    client.cookies["sessionid"] = "ended"
    response = client.get(path)
    assert response.json().get("user") is None
    assert "sessionid" not in response.cookies
