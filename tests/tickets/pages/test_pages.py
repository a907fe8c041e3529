"""Pages work without scripts, show errors at their fields, and reveal nothing to unauthorized users."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from zeal import zeal_ignore

from accounts.models import Office
from tests.support.cast import Cast
from tickets import services
from tickets.models import Reply, Ticket
from tickets.views import tickets as pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def bao(cast: Cast) -> Client:
    return signed_in(cast.bao)


@pytest.fixture
def casey(cast: Cast) -> Client:
    return signed_in(cast.casey)


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_customer_opens_a_ticket(cast: Cast, casey: Client) -> None:
    words = {
        "subject": "Late",
        "content": "Where *is* it?",
        "office": cast.orders.pk,
        "priority": cast.ticket.priority_id,
    }
    response = casey.post("/tickets/new/", words)
    ticket = Ticket.objects.get(subject="Late")
    assert (response.status_code, response["Location"]) == (302, ticket.get_absolute_url())
    page = casey.get(ticket.get_absolute_url()).text
    assert "<em>is</em>" in page
    assert "We have received your request." in page
    assert "We have received your request." not in casey.get(ticket.get_absolute_url()).text


def test_customer_is_not_offered_internal_offices(cast: Cast, casey: Client, bao: Client) -> None:
    assert "Fraud" not in casey.get("/tickets/new/").text
    assert "Fraud" in bao.get("/tickets/new/").text
    words = {"subject": "Late", "content": "x", "office": cast.fraud.pk, "priority": cast.ticket.priority_id}
    assert casey.post("/tickets/new/", words).status_code == 422
    assert Ticket.objects.count() == 1


def test_no_office_is_chosen_for_a_person_who_has_a_choice(cast: Cast, casey: Client, bao: Client) -> None:
    Office.objects.filter(pk=cast.orders.pk).update(description="Parcels and returns")
    page = casey.get("/tickets/new/").text
    assert page.count('type="radio" name="office"') == 2
    assert "Parcels and returns" in page
    assert not re.search(r'type="radio"[^>]*checked', page)
    assert '<option value="" selected>Choose an office</option>' in bao.get("/tickets/new/").text
    words = {"subject": "Late", "content": "Where is it?", "priority": cast.ticket.priority_id}
    refused = casey.post("/tickets/new/", words)
    assert (refused.status_code, refused.context["form"].errors) == (422, {"office": ["Choose what it is about."]})
    assert Ticket.objects.count() == 1


def test_only_office_is_chosen_silently(cast: Cast, casey: Client) -> None:
    Office.objects.filter(pk=cast.orders.pk).update(is_internal=True)
    page = casey.get("/tickets/new/").text
    assert "What is it about?" not in page
    assert f'<input type="hidden" name="office" value="{cast.billing.pk}"' in page


def test_invalid_form_shows_errors_and_keeps_its_text(cast: Cast, casey: Client) -> None:
    response = casey.post("/tickets/new/", {"subject": "", "content": "A long story", "office": "x", "priority": ""})
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"subject", "office", "priority"}
    assert "A long story" in response.text


def test_reply_without_scripts_redirects_to_it(cast: Cast, casey: Client) -> None:
    response = casey.post(f"{cast.ticket.get_absolute_url()}replies/", {"message": "Hello?"})
    reply = Reply.objects.get()
    assert response["Location"] == f"{cast.ticket.get_absolute_url()}#reply-{reply.pk}"


@pytest.mark.parametrize("message", ["", " ", "x" * 50_001, "a\x00b"])
def test_invalid_reply_shows_an_error_at_its_field(cast: Cast, casey: Client, message: str) -> None:
    address = f"{cast.ticket.get_absolute_url()}replies/"
    page = casey.post(address, {"message": message})
    assert page.status_code == 422
    program = casey.post(address, {"message": message}, headers={"accept": "application/json"})
    assert program.status_code == 422
    assert program.json()["errors"]["message"]
    assert not Reply.objects.exists()


def test_customer_cannot_post_a_note(cast: Cast, casey: Client, bao: Client) -> None:
    address = f"{cast.ticket.get_absolute_url()}replies/"
    assert casey.post(address, {"message": "x", "internal": "on"}).status_code == 403
    assert bao.post(address, {"message": "x", "internal": "on"}).status_code == 302
    assert [reply.is_internal for reply in Reply.objects.all()] == [True]


def test_agent_changes_each_property(cast: Cast, bao: Client) -> None:
    address = f"{cast.ticket.get_absolute_url()}change/"
    for data in (
        {"status": cast.status("On Hold").pk},
        {"priority": cast.priority("High").pk},
        {"assigned_to": str(cast.emil.pk)},
        {"subject": "Charged thrice"},
        {"assigned_to": ""},
        {"office": cast.orders.pk},
    ):
        assert bao.post(address, data).status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.status.name, ticket.priority.name, ticket.subject) == ("On Hold", "High", "Charged thrice")
    assert (ticket.assigned_to, ticket.office) == (None, cast.orders)
    assert bao.get(cast.ticket.get_absolute_url()).status_code == 404


def test_customer_cannot_change_a_ticket(cast: Cast, casey: Client) -> None:
    address = f"{cast.ticket.get_absolute_url()}change/"
    assert casey.post(address, {"status": cast.status("Closed").pk}).status_code == 403
    assert casey.post(address, {"subject": "Mine"}).status_code == 403
    assert Ticket.objects.get().version == 1


def test_customer_cannot_find_out_which_offices_exist(cast: Cast, casey: Client) -> None:
    address = f"{cast.ticket.get_absolute_url()}change/"
    answers = [casey.post(address, {"office": office}).status_code for office in (cast.fraud.pk, 999)]
    assert answers == [403, 403]


def test_pages_of_signed_in_users_are_not_cached(cast: Cast, bao: Client, client: Client) -> None:
    for path in ("/tickets/", cast.ticket.get_absolute_url()):
        assert bao.get(path)["Cache-Control"] == "private, no-store"
    assert "private" in bao.get(f"/avatars/{cast.bao.pk}.svg")["Cache-Control"]
    assert "no-store" not in client.get("/tickets/palette.css")["Cache-Control"]


def test_admin_uses_the_sites_own_sign_in(cast: Cast, client: Client) -> None:
    response = client.get("/admin/login/?next=/admin/")
    assert (response.status_code, response["Location"].split("?")[0]) == (302, "/login/")


def test_changes_during_rendering_are_left_to_events(
    cast: Cast, casey: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = pages.visible_ticket

    def fetch_then_change(*args: Any) -> Ticket:
        ticket = fetch(*args)
        with zeal_ignore():
            cast.reply(cast.bao, "Meanwhile")
        return ticket

    monkeypatch.setattr(pages, "visible_ticket", fetch_then_change)
    context = casey.get(cast.ticket.get_absolute_url()).context
    assert (context["seq"], len(context["thread"]), len(context["timeline"])) == (1, 1, 1)
    monkeypatch.undo()
    context = casey.get(cast.ticket.get_absolute_url()).context
    assert (context["seq"], len(context["thread"]), len(context["timeline"])) == (2, 2, 1)


def test_change_of_several_properties_is_all_or_nothing(cast: Cast, bao: Client) -> None:
    address = f"{cast.ticket.get_absolute_url()}change/"
    response = bao.post(address, {"subject": "New", "status": "999"}, headers={"accept": "application/json"})
    assert (response.status_code, list(response.json()["errors"])) == (422, ["status"])
    assert Ticket.objects.get().subject == "Charged twice"


@pytest.mark.parametrize("path", ["", "replies/", "change/"])
def test_invisible_ticket_looks_like_a_missing_one(cast: Cast, path: str) -> None:
    client = signed_in(cast.greta)
    real, unreal = (f"/tickets/{uuid}/{path}" for uuid in (cast.ticket.uuid, cast.casey.pk))
    ask = client.post if path else client.get
    answers = [ask(address, {"message": "x"}) for address in (real, unreal)]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_full_reply_is_fetched_by_users_who_may_read_it(cast: Cast, casey: Client, bao: Client) -> None:
    reply, note = cast.reply(cast.bao, "Long " * 3000), cast.reply(cast.bao, "Secret", internal=True)
    base = f"{cast.ticket.get_absolute_url()}replies/"
    assert casey.get(f"{base}{reply.pk}/").json()["reply"]["message"] == "Long " * 2999 + "Long"
    assert casey.get(f"{base}{note.pk}/").status_code == 404
    assert bao.get(f"{base}{note.pk}/").json()["reply"]["message"] == "Secret"


def test_customer_page_has_no_trace_of_a_note(cast: Cast, casey: Client, bao: Client) -> None:
    clean = casey.get(cast.ticket.get_absolute_url()).text
    cast.reply(cast.dana, "Secret", internal=True)
    page, listing = casey.get(cast.ticket.get_absolute_url()).text, casey.get("/tickets/").text
    for trace in ("Secret", "Dana", "Internal note"):
        assert trace not in page + listing
    assert without_tokens(page) == without_tokens(clean)
    staff = bao.get(cast.ticket.get_absolute_url()).text
    assert "Secret" in staff
    assert "Dana" in staff


def without_tokens(page: str) -> str:
    """Remove what differs between requests: tokens, nonces, the form's key, the cursor and the time."""
    page = re.sub(r'(csrfmiddlewaretoken" value|csrf-token" content|nonce|name="key" value)="[^"]*"', "", page)
    page = re.sub(r'(?<=read\.gif\?)[^"]*', "", page)
    return re.sub(r'"(cursor|now)": "[^"]*"', "", page)


def test_list_is_ordered_by_visible_changes(cast: Cast, casey: Client, bao: Client) -> None:
    newer = services.open_ticket(by=cast.casey, subject="Newer", content="x", office=cast.billing)
    cast.reply(cast.bao, "Secret", internal=True)
    orders = {
        name: [row["ticket"]["subject"] for row in client.get("/tickets/").context["rows"]]
        for name, client in (("casey", casey), ("bao", bao))
    }
    assert orders == {"casey": [newer.subject, "Charged twice"], "bao": ["Charged twice", newer.subject]}


def test_list_shows_the_chosen_status(cast: Cast, bao: Client) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    services.open_ticket(by=cast.greta, subject="Another", content="x", office=cast.billing)
    shown = {
        view: [row["ticket"]["subject"] for row in bao.get("/tickets/", {"status": view}).context["rows"]]
        for view in ("active", "all", cast.status("Closed").pk, "nonsense", "9" * 30)
    }
    assert shown == {
        "active": ["Another"], "all": ["Another", "Charged twice"], cast.status("Closed").pk: ["Charged twice"],
        "nonsense": ["Another"], "9" * 30: ["Another"],
    }  # fmt: skip


def test_page_cursor_is_older_than_its_first_query(cast: Cast, casey: Client) -> None:
    page = casey.get(cast.ticket.get_absolute_url())
    config = json.loads(re.search(r'id="live-config"[^>]*>(.*?)</script>', page.text)[1])
    cast.reply(cast.bao, "Meanwhile")
    answer = casey.get("/broadcasting/history", {"channel": cast.ticket.channel, "since": config["cursor"]})
    assert answer.json()["events"][-1]["data"]["reply"]["message"] == "Meanwhile"
    assert config["channels"] == [cast.casey.channel]


@pytest.mark.parametrize("path", ["/tickets/", "/tickets/new/", "/login/", "/register/", "/admin/"])
def test_pages_allow_no_inline_script_or_style(cast: Cast, path: str) -> None:
    client = signed_in(cast.ada) if "log" not in path and "reg" not in path else Client()
    response = client.get(path)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    if path != "/admin/":
        assert not re.search(r'\sstyle="|\son\w+="', response.text)
        inline = re.findall(r"<script(?![^>]*(?:nonce|application/json))[^>]*>", response.text)
        assert inline == []


def test_palette_is_a_stylesheet(cast: Cast, client: Client) -> None:
    status = cast.status("Open")
    status.name = 'Open"]} body{display:none} a["'
    status.save()
    response = client.get("/tickets/palette.css")
    assert response["Content-Type"] == "text/css"
    assert "body{" not in response.text
    assert status.color in response.text


def test_subject_is_escaped(cast: Cast, casey: Client) -> None:
    ticket = services.open_ticket(
        by=cast.casey, subject='<img src=x onerror=alert(1)>"', content="x", office=cast.billing
    )
    for address in ("/tickets/", ticket.get_absolute_url()):
        assert "<img src=x" not in casey.get(address).text


def test_echo_csrf_header_is_accepted(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.casey)
    client.get("/tickets/new/")
    token = client.cookies["csrftoken"].value
    data = {"socket_id": "1.1", "channel_name": cast.ticket.channel}
    assert client.post("/broadcasting/auth", data).status_code == 403
    for header in ("x-csrf-token", "x-csrftoken"):
        assert client.post("/broadcasting/auth", data, headers={header: token}).status_code == 200


@pytest.mark.parametrize(
    "data",
    [{}, {"socket_id": "1"}, {"socket_id": "1.1", "channel_name": "a b"}, {"socket_id": "x", "channel_name": "a"}],
)
def test_malformed_channel_auth_request_is_rejected(casey: Client, data: dict) -> None:
    response = casey.post("/broadcasting/auth", data)
    assert response.status_code == 400
    assert response.json()["detail"]


@pytest.mark.parametrize("name", ["casey", "bao", "ada"])
@pytest.mark.parametrize("which", ["list", "ticket", "ticket of a list"])
def test_page_query_count_is_independent_of_rows(
    cast: Cast, name: str, which: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client, asked = signed_in(getattr(cast, name)), []
    ticket = cast.ticket.get_absolute_url()
    address = {"list": "/tickets/", "ticket": ticket, "ticket of a list": f"{ticket}?list=status%3Dwaiting"}[which]
    client.get("/tickets/")  # the first page of a sign-in also notes that it was seen
    for number in (1, 5):
        for _ in range(number):
            services.open_ticket(by=cast.casey, subject=f"{number}", content="x", office=cast.billing)
            cast.reply(cast.bao, "Answer")
            cast.reply(cast.dana, "Note", internal=True)
        with django_assert_max_num_queries(50) as queries:
            assert client.get(address).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
