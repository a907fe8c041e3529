"""Macros on the page of a ticket: the list, the preview, and applying one, with and without scripts."""

from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tickets import services
from tickets.models import Macro, Ticket

pytestmark = pytest.mark.django_db
JSON = {"HTTP_ACCEPT": "application/json"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def now(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


@pytest.fixture
def refunded(cast: Cast) -> Macro:
    actions = {"status": cast.status("Closed").pk, "reply": "Hi {{customer.first_name}}", "note": "By {{agent}}"}
    return Macro.objects.create(name="Refunded", office=cast.billing, actions=actions)


def send(cast: Cast, macro: Macro, by: User | None = None, **values: Any) -> HttpResponse:
    """Press "Apply" as scripts send it."""
    data = {"macro": macro.pk, "key": uuid4(), **values}
    return signed_in(by or cast.bao).post(f"{cast.ticket.get_absolute_url()}macro/", data, **JSON)


def test_ticket_lists_usable_macros_the_most_used_first(cast: Cast, refunded: Macro) -> None:
    often = Macro.objects.create(name="Zeta", owner=cast.bao, actions={"follow": True}, uses=3)
    Macro.objects.create(name="Dana's", owner=cast.dana, actions={"follow": True})
    address = f"{cast.ticket.get_absolute_url()}macros/"
    rows = signed_in(cast.bao).get(address).json()["macros"]
    assert [row["name"] for row in rows] == [often.name, refunded.name]
    assert rows[1]["text"].startswith("Status: Closed · Reply: Hi {{customer.first_name}}")
    assert signed_in(cast.casey).get(address).status_code == 403
    assert signed_in(cast.emil).get(address).status_code == 404


def test_preview_fills_in_the_texts_and_changes_nothing(cast: Cast, refunded: Macro) -> None:
    version = now(cast.ticket).version
    row = signed_in(cast.bao).get(f"{cast.ticket.get_absolute_url()}macros/").json()["macros"][0]
    shown = signed_in(cast.bao).get(row["url"], **JSON).json()
    assert (shown["name"], shown["reply"], shown["note"]) == ("Refunded", "Hi Casey", "By Bao Nguyen")
    assert shown["lines"] == [{"name": "status", "label": "Status", "value": "Closed"}]
    assert (shown["problems"], shown["version"], shown["seen"]) == ("", version, str(cast.ticket.uuid))
    assert now(cast.ticket).version == version
    assert not cast.ticket.replies.exists()


def test_macro_is_applied_once_for_two_presses(cast: Cast, refunded: Macro) -> None:
    key = uuid4()
    assert [send(cast, refunded, key=key).status_code for _press in range(2)] == [204, 204]
    assert now(cast.ticket).status.name == "Closed"
    assert cast.ticket.replies.count() == 2
    assert Macro.objects.get().uses == 1


def test_newer_change_and_message_are_answered_with_what_to_send_again(cast: Cast, refunded: Macro) -> None:
    seen = {"version": now(cast.ticket).version, "seen": cast.ticket.uuid}
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("On Hold")})
    conflict = send(cast, refunded, **seen)
    assert conflict.status_code == 409
    assert conflict.json()["errors"]["__all__"] == [
        "Status: Dana Okafor changed this to “On Hold” while you were editing. "
        "Apply the macro again to change it anyway."
    ]
    seen["version"] = conflict.json()["version"]
    latest = cast.reply(cast.casey, "One more thing")
    unseen = send(cast, refunded, **seen)
    assert (unseen.status_code, unseen.json()["seen"]) == (409, str(latest.pk))
    assert "A new message has arrived." in unseen.json()["errors"]["__all__"][0]
    assert cast.ticket.replies.count() == 1
    seen = {name: unseen.json()[name] for name in ("version", "seen")}
    assert send(cast, refunded, **seen).status_code == 204
    assert now(cast.ticket).status.name == "Closed"


def test_page_applies_a_macro_without_scripts(cast: Cast, refunded: Macro) -> None:
    bao, address = signed_in(cast.bao), cast.ticket.get_absolute_url()
    assert f'<option value="{refunded.pk}">Refunded</option>' in bao.get(address).text
    data = {"macro": refunded.pk, "key": uuid4(), "seen": cast.ticket.uuid, "version": now(cast.ticket).version}
    preview = bao.post(f"{address}macro/", data | {"preview": "on"})
    assert "Hi Casey" in preview.text
    assert f'name="seen" value="{cast.ticket.uuid}"' in preview.text
    assert not cast.ticket.replies.exists()
    cast.reply(cast.casey, "One more thing")
    stopped = bao.post(f"{address}macro/", data)
    assert (stopped.status_code, "A new message has arrived." in stopped.text) == (409, True)
    assert f'name="seen" value="{cast.ticket.uuid}"' not in stopped.text
    applied = bao.post(f"{address}macro/", data | {"seen": "", "version": ""}, follow=True)
    assert "“Refunded” was applied." in applied.text
    assert now(cast.ticket).status.name == "Closed"


def test_macro_that_takes_the_ticket_away_leads_to_the_list(cast: Cast) -> None:
    macro = Macro.objects.create(name="Pass on", owner=cast.bao, actions={"office": cast.fraud.pk})
    answer = signed_in(cast.bao).post(f"{cast.ticket.get_absolute_url()}macro/", {"macro": macro.pk})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/tickets/")


def test_broken_or_foreign_macro_is_refused_with_a_sentence(cast: Cast) -> None:
    broken = Macro.objects.create(name="Old", owner=cast.bao, actions={"status": 999, "reply": "Hello."})
    foreign = Macro.objects.create(name="Dana's", owner=cast.dana, actions={"follow": True})
    answer = send(cast, broken)
    assert answer.status_code == 422
    sentences = ["The status of this macro no longer exists.", "Nothing was changed."]
    assert answer.json()["errors"]["__all__"] == sentences
    refused = send(cast, foreign)
    assert (refused.status_code, refused.json()["errors"]) == (422, {"macro": ["This macro no longer exists."]})
    assert not cast.ticket.replies.exists()


@pytest.mark.parametrize(("name", "status"), [("casey", 403), ("emil", 404), ("dana", 204)])
def test_only_staff_of_the_ticket_apply_macros(cast: Cast, name: str, status: int) -> None:
    macro = Macro.objects.create(name="For all", actions={"priority": cast.priority("High").pk})
    assert send(cast, macro, by=getattr(cast, name)).status_code == status
    assert (now(cast.ticket).priority.name == "High") is (status == 204)


def test_customer_page_has_nothing_of_macros(cast: Cast, refunded: Macro) -> None:
    address = cast.ticket.get_absolute_url()
    assert "macro" in signed_in(cast.bao).get(address).text
    assert "acro" not in signed_in(cast.casey).get(address).text
