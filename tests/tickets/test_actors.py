"""The system as actor: what it may do, and what staff and customers see of it; how messages were written."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client

from realtime.broadcasting import history
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import services
from tickets.actors import Cause, Source, System
from tickets.models import Ticket, TimelineEntry

MAIL = System(Cause.MAIL)
NAME = "System (incoming mail)"


def received(cast: Cast, **values: object) -> Ticket:
    """Return a ticket of Casey's that the system opened."""
    words = {"customer": cast.casey, "subject": "Late", "content": "Where?", "office": cast.billing}
    return services.open_ticket(by=MAIL, source=Source.MAIL, **{**words, **values})


def test_system_opens_a_ticket_that_is_the_customers(cast: Cast) -> None:
    ticket = received(cast)
    assert (ticket.creator, ticket.opened_by, ticket.source) == (cast.casey, None, "mail")
    entry = ticket.timeline.get()
    assert (entry.actor, entry.by, entry.source) == (None, MAIL, "mail")


def test_system_does_nothing_else(cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        services.update_ticket(cast.ticket, by=MAIL, values={"subject": "Other"})
    with pytest.raises(PermissionDenied):
        received(cast, customer=cast.hiro)
    with pytest.raises(TypeError):
        received(cast, customer=None)


@pytest.mark.parametrize("values", [{"cause": ""}, {"cause": "mail", "by_casey": True}])
def test_entry_has_either_a_user_or_a_cause(cast: Cast, values: dict) -> None:
    actor = cast.casey if values.pop("by_casey", False) else None
    entry = TimelineEntry(ticket=cast.ticket, actor=actor, action="replied", audience="staff", number=9, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save()


def test_staff_see_the_system_and_customers_see_staff_without_a_name(cast: Cast) -> None:
    start = history.current_cursor()
    ticket = received(cast)
    (for_staff,) = history.read(cast.bao, [cast.billing.channel], start).events
    (for_casey,) = history.read(cast.casey, [cast.casey.channel], start).events
    assert for_staff["data"]["created_by"] == {"id": None, "name": NAME, "role": "system"}
    assert for_casey["data"]["created_by"] == {"id": None, "name": "Billing", "role": "agent"}
    assert NAME in str(ApiClient(cast.bao).ask("GET", f"tickets/{ticket.uuid}/timeline/").json())
    for user, sees in ((cast.bao, True), (cast.casey, False)):
        client = Client()
        client.force_login(user)
        for address in (ticket.get_absolute_url(), "/"):
            assert (NAME in client.get(address).text) is sees, address


def test_admin_names_the_system(cast: Cast) -> None:
    ticket = received(cast)
    client = Client()
    client.force_login(cast.ada)
    entry = ticket.timeline.get()
    for path in (f"ticket/{ticket.pk}/change", "timelineentry", f"timelineentry/{entry.pk}/change"):
        assert NAME in client.get(f"/admin/tickets/{path}/").text, path


def test_only_staff_see_how_a_message_was_written(cast: Cast) -> None:
    start = history.current_cursor()
    services.add_reply(cast.ticket, by=cast.casey, message="Any news?", source=Source.MAIL)
    for user, source in ((cast.bao, "mail"), (cast.casey, None)):
        (event,) = history.read(user, [cast.ticket.channel], start).events
        assert event["data"]["reply"].get("source") == source
        found = ApiClient(user).ask("GET", f"tickets/{cast.ticket.uuid}/timeline/").json()["results"]
        assert found[-1].get("source") == source
        client = Client()
        client.force_login(user)
        assert ('data-source="mail"' in client.get(cast.ticket.get_absolute_url()).text) is (user == cast.bao)


def test_api_is_a_source(cast: Cast) -> None:
    answer = ApiClient(cast.bao).ask("POST", f"tickets/{cast.ticket.uuid}/replies/", {"message": "Hello"})
    assert answer.json()["source"] == "api"
    words = {"subject": "Late", "content": "x", "office": "Billing"}
    assert ApiClient(cast.bao).ask("POST", "tickets/", words).json()["source"] == "api"
