"""Tickets in Django's admin: forms keep their input, long conversations work, the change log holds no text."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests.support.cast import Cast
from tests.test_admin import bulk, filled_in, save, signed_in, ticket_page, with_reply
from tickets import services
from tickets.models import Attachment, Reply, Status, Ticket


def field_errors(response: Any, field: str) -> list[str]:
    return response.context["adminform"].form.errors.get(field, [])


def new_reply(client: Client, address: str, message: str, **fields: str) -> dict[str, Any]:
    """Return the ticket's form with a message in its empty row."""
    sent = filled_in(client, address)
    place = int(sent["replies-INITIAL_FORMS"])
    row = {f"replies-{place}-message": message} | {f"replies-{place}-{name}": value for name, value in fields.items()}
    return sent | {"replies-TOTAL_FORMS": place + 1} | row


def test_agent_replies_renames_and_reassigns_in_one_form(cast: Cast) -> None:
    client, address = signed_in(cast.bao), ticket_page(cast.ticket)
    changes = {"subject": "Refund", "office": cast.orders.pk, "_continue": "1"} | with_reply("To Orders with it")
    response = client.post(address, filled_in(client, address, **changes), follow=True)
    assert response.status_code == 200
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.office) == ("Refund", cast.orders)
    assert Reply.objects.get().message == "To Orders with it"
    assert response.request["PATH_INFO"] == "/admin/tickets/ticket/"


def test_service_error_keeps_submitted_text(cast: Cast) -> None:
    client, address = signed_in(cast.bao), ticket_page(cast.ticket)
    sent = filled_in(client, address, assigned_to=str(cast.greta.pk)) | with_reply("A long answer")
    response = client.post(address, sent)
    assert response.status_code == 200
    assert "active agents and admins" in str(field_errors(response, "assigned_to"))
    assert "A long answer" in response.text
    assert not Reply.objects.exists()


def test_conflict_is_shown_at_its_field(cast: Cast) -> None:
    client, address = signed_in(cast.bao), ticket_page(cast.ticket)
    sent = filled_in(client, address, status=cast.status("Closed").pk)
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("On Hold")})
    problem = str(field_errors(client.post(address, sent), "status"))
    assert "Dana Okafor changed this to “On Hold” while you were editing." in problem
    assert "Save again to overwrite this change." in problem


def test_repeated_form_makes_one_reply_and_one_ticket(cast: Cast) -> None:
    client, address = signed_in(cast.bao), ticket_page(cast.ticket)
    sent = filled_in(client, address) | with_reply("Once")
    words = filled_in(client, "/admin/tickets/ticket/add/", subject="Late", content="x", office=cast.billing.pk)
    for _ in range(2):
        assert client.post(address, sent).status_code == 302
        assert client.post("/admin/tickets/ticket/add/", words).status_code == 302
    assert Reply.objects.count() == 1
    assert Ticket.objects.filter(subject="Late").count() == 1
    assert client.post(address, new_reply(client, address, "Once")).status_code == 302
    assert Reply.objects.count() == 2


def test_reply_row_exists_without_scripts(cast: Cast) -> None:
    cast.reply(cast.bao, "Before")
    page = signed_in(cast.bao).get(ticket_page(cast.ticket)).text
    assert 'name="replies-1-message"' in page


def test_long_conversation_can_still_be_answered(cast: Cast) -> None:
    said = {"ticket": cast.ticket, "author": cast.bao}
    Reply.objects.bulk_create(Reply(message=f"Message {number}", number=number, **said) for number in range(2, 600))
    Ticket.objects.filter(pk=cast.ticket.pk).update(staff_seq=600)
    client, address = signed_in(cast.bao), ticket_page(cast.ticket)
    page = client.get(address).text
    assert "Message 599" in page
    sent = new_reply(client, address, "The last word")
    cast.reply(cast.dana, "Came in between")
    assert client.post(address, sent).status_code == 302
    assert Reply.objects.order_by("number").last().message == "The last word"


def test_change_log_mentions_note_without_its_text(cast: Cast) -> None:
    client, address = signed_in(cast.bao), ticket_page(cast.ticket)
    assert client.post(address, new_reply(client, address, "Fraud suspected", is_internal="on")).status_code == 302
    assert save(client, address, **{"replies-0-DELETE": "on"}).status_code == 302
    assert not Reply.objects.exists()
    said = [f"{entry} {entry.change_message}" for entry in LogEntry.objects.all()]
    assert len(said) == 2
    assert "internal note" in said[0]
    assert not [words for words in said if "Fraud" in words]
    assert client.get(address.replace("change", "history")).status_code == 200
    assert signed_in(cast.emil).get(address.replace("change", "history")).status_code == 404


def test_agent_can_delete_only_own_messages(cast: Cast) -> None:
    cast.reply(cast.bao, "Mine")
    cast.reply(cast.dana, "Hers")
    formset = signed_in(cast.bao).get(ticket_page(cast.ticket)).context["inline_admin_formsets"][0].formset
    boxes = [form.fields["DELETE"].widget.attrs for form in formset.initial_forms]
    assert ["disabled" in attributes for attributes in boxes] == [False, True]


def test_deleted_ticket_does_not_stop_bulk_action(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    second = services.open_ticket(by=cast.casey, subject="Second", content="x", office=cast.billing)
    update_ticket = services.update_ticket

    def after_a_deletion(ticket: Ticket, **how: Any) -> Ticket:
        Ticket.objects.filter(pk=cast.ticket.pk).delete()
        return update_ticket(ticket, **how)

    monkeypatch.setattr(services, "update_ticket", after_a_deletion)
    response = bulk(signed_in(cast.bao), [cast.ticket, second], status=cast.status("Closed").pk)
    assert f"{cast.ticket.reference}: " in response.text
    assert "1 ticket updated." in response.text


def test_bulk_action_rejects_too_many_tickets(cast: Cast) -> None:
    for number in range(100):
        services.open_ticket(by=cast.casey, subject=f"{number}", content="x", office=cast.billing)
    chosen = {"select_across": "1", "status": cast.status("Closed").pk}
    response = bulk(signed_in(cast.bao), [cast.ticket], **chosen)
    assert "Select at most 100 tickets" in response.text
    assert not Ticket.objects.filter(status__is_closed=True).exists()


def test_new_default_replaces_the_old_one(cast: Cast) -> None:
    client = signed_in(cast.ada)
    address = f"/admin/tickets/status/{cast.status('In Progress').pk}/change/"
    assert save(client, address, is_default="on").status_code == 302
    assert [status.name for status in Status.objects.filter(is_default=True)] == ["In Progress"]


@pytest.mark.parametrize(
    ("name", "values", "error"),
    [
        ("On Hold", {"is_default": "on"}, "The default status can&#x27;t be closed or wait for the customer."),
        ("Closed", {"is_default": "on"}, "The default status can&#x27;t be closed or wait for the customer."),
        ("Closed", {"awaits_customer": "on"}, "A closed status can&#x27;t wait for the customer."),
    ],
)
def test_contradictory_status_is_rejected(cast: Cast, name: str, values: dict[str, str], error: str) -> None:
    address = f"/admin/tickets/status/{cast.status(name).pk}/change/"
    response = save(signed_in(cast.ada), address, **values)
    assert response.status_code == 200
    assert error in response.text
    assert Status.objects.get(is_default=True).name == "Open"


def test_office_or_status_in_use_cannot_be_deleted(cast: Cast) -> None:
    client = signed_in(cast.ada)
    for address in (f"accounts/office/{cast.billing.pk}", f"tickets/status/{cast.ticket.status_id}"):
        page = client.get(f"/admin/{address}/delete/").text
        assert "1 ticket" in page
        assert "Charged twice" not in page


@pytest.mark.parametrize("name", ["ada", "bao"])
def test_ticket_form_query_count_is_independent_of_messages(
    cast: Cast, name: str, django_assert_max_num_queries: Any
) -> None:
    client, asked = signed_in(getattr(cast, name)), []
    cast.reply(cast.dana, "Note", internal=True)
    client.get(ticket_page(cast.ticket))
    for users in ([cast.bao], [cast.bao, cast.dana, cast.casey, cast.ada]):
        for user in users:
            cast.reply(user, "More")
        with django_assert_max_num_queries(60) as queries:
            assert client.get(ticket_page(cast.ticket)).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]


@pytest.mark.parametrize("page", ["attachment", "timelineentry", "reply", "ticket"])
@pytest.mark.parametrize("name", ["ada", "bao"])
def test_list_query_count_is_independent_of_rows(
    cast: Cast, name: str, page: str, django_assert_max_num_queries: Any
) -> None:
    client, asked = signed_in(getattr(cast, name)), []
    client.get(f"/admin/tickets/{page}/")
    for number in (1, 5):
        for _ in range(number):
            ticket = services.open_ticket(by=cast.casey, subject=f"{number}", content="x", office=cast.billing)
            services.update_ticket(ticket, by=cast.bao, values={"assigned_to": cast.dana})
            reply = services.add_reply(ticket, by=cast.dana, message="Answer")
            file = {"filename": "a.txt", "size": 1, "content_type": "text/plain", "file": "none"}
            Attachment.objects.create(uploader=cast.dana, ticket=ticket, reply=reply, **file)
        with django_assert_max_num_queries(40) as queries:
            assert client.get(f"/admin/tickets/{page}/").status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
