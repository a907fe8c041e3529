"""A reply that also sets the ticket's status: one call, all or nothing, by page and API."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import services
from tickets.models import Reply, Status, Ticket


def status_of(ticket: Ticket) -> str:
    return Ticket.objects.get(pk=ticket.pk).status.name


def send(user: Any, ticket: Ticket, **form: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/tickets/{ticket.uuid}/replies/", {"message": "Done.", **form})


@pytest.mark.parametrize(("then", "expected"), [("close", "Closed"), ("hold", "On Hold"), ("", "Open")])
def test_button_sends_and_sets_the_status_of_its_meaning(cast: Cast, then: str, expected: str) -> None:
    Status.objects.filter(name="Closed").update(name="Finito")
    assert send(cast.bao, cast.ticket, then=then).status_code == 302
    assert status_of(cast.ticket) == expected.replace("Closed", "Finito")
    actions = ["replied", "status"] if then else ["replied"]
    assert list(cast.ticket.timeline.values_list("action", flat=True))[1:] == actions


def test_customer_cannot_set_a_status_and_nothing_is_sent(cast: Cast) -> None:
    assert send(cast.casey, cast.ticket, then="close").status_code == 403
    with pytest.raises(PermissionDenied):
        services.add_reply(cast.ticket, by=cast.casey, message="x", status=cast.status("Closed"))
    assert not Reply.objects.exists()
    assert send(cast.casey, cast.ticket).status_code == 302


def test_reply_is_not_sent_if_the_desk_has_no_such_status(cast: Cast) -> None:
    Status.objects.filter(awaits_customer=True).update(awaits_customer=False)
    refused = send(cast.bao, cast.ticket, then="hold")
    assert (refused.status_code, ">Done.</textarea>" in refused.text) == (422, True)
    assert 'value="hold"' not in refused.text
    assert 'value="close"' in refused.text
    assert not Reply.objects.exists()


def test_status_named_with_a_reply_wins_over_reopening(cast: Cast) -> None:
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.billing)
    services.update_ticket(ticket, by=cast.bao, values={"status": cast.status("Closed")})
    services.add_reply(ticket, by=cast.bao, message="Thanks", status=cast.status("On Hold"))
    assert status_of(ticket) == "On Hold"


def test_form_sent_twice_does_not_close_a_ticket_that_was_reopened(cast: Cast) -> None:
    key = "6f1c1e0a-3c5b-4b0e-8a53-0a8f3c3f7a10"
    for _ in range(2):
        assert send(cast.bao, cast.ticket, then="close", key=key).status_code == 302
        services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("Open")})
    assert (status_of(cast.ticket), Reply.objects.count()) == ("Open", 1)
    with pytest.raises(ValidationError, match="another status"):
        services.add_reply(cast.ticket, by=cast.bao, message="Done.", status=cast.status("On Hold"), key=key)


def test_api_sets_the_status_with_a_reply(cast: Cast) -> None:
    address = f"/api/v1/tickets/{cast.ticket.uuid}/replies/"
    refused = ApiClient(cast.casey).post(address, {"message": "Mine", "status": "Closed"})
    assert (refused.status_code, Reply.objects.count()) == (403, 0)
    assert ApiClient(cast.bao).post(address, {"message": "Done", "status": "Closed"}).status_code == 201
    assert status_of(cast.ticket) == "Closed"
