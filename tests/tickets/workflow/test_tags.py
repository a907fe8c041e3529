"""Tags: who puts them on tickets, what customers see of them, and how they are renamed, merged and deleted."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.test import Client

from accounts.models import User
from realtime.broadcasting import history
from realtime.broadcasting.history import RefusedChannels
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tickets import list_queries, services
from tickets.list_queries import TicketFilter
from tickets.models import Tag, Ticket, TimelineEntry
from tickets.tags import services as tags

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def names(ticket: Ticket) -> list[str]:
    return [tag.name for tag in Ticket.objects.get(pk=ticket.pk).tags.all()]


def found(user: User, tag: Tag) -> list[Ticket]:
    return list(list_queries.filter_tickets(user, TicketFilter(views=("all",), tags=(tag,))))


def test_agents_add_new_and_known_tags_in_any_case(cast: Cast) -> None:
    refund = tags.add_tag(cast.ticket, "  Needs   refund ", by=cast.bao)
    assert tags.add_tag(cast.ticket, "NEEDS REFUND", by=cast.dana) == refund
    tags.add_tag(cast.ticket, "Überweisung", by=cast.bao)
    assert tags.add_tag(cast.ticket, "überweisung", by=cast.bao).name == "Überweisung"
    assert names(cast.ticket) == ["Needs refund", "Überweisung"]
    assert len({tag.color for tag in Tag.objects.all()}) == 2


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\x00b", "a\u202eb"])
def test_name_that_is_no_line_is_refused(cast: Cast, name: str) -> None:
    with pytest.raises(ValidationError):
        tags.add_tag(cast.ticket, name, by=cast.bao)
    assert not Tag.objects.exists()


@pytest.mark.parametrize("name", ["casey", "greta", "fatima"])
def test_others_than_staff_of_the_ticket_change_no_tags(cast: Cast, name: str) -> None:
    tag, person = tags.add_tag(cast.ticket, "refund", by=cast.bao), getattr(cast, name)
    for change in (
        lambda: tags.add_tag(cast.ticket, "new", by=person),
        lambda: tags.remove_tag(cast.ticket, tag, by=person),
    ):
        with pytest.raises(PermissionDenied):
            change()
    status = 403 if name == "casey" else 404
    for path in ("tags/", "tags/remove/"):
        assert signed_in(person).post(f"{cast.ticket.get_absolute_url()}{path}", {"tag": "1"}).status_code == status
    assert names(cast.ticket) == ["refund"]


def test_number_of_tags_is_bounded(cast: Cast) -> None:
    for number in range(tags.MAX_TAGS):
        tags.add_tag(cast.ticket, f"tag {number}", by=cast.bao)
    with pytest.raises(ValidationError, match="20"):
        tags.add_tag(cast.ticket, "one more", by=cast.bao)


def test_timeline_says_to_staff_who_changed_the_tags(cast: Cast) -> None:
    tag = tags.add_tag(cast.ticket, "refund", by=cast.bao)
    tags.remove_tag(cast.ticket, tag, by=cast.dana)
    assert not tags.remove_tag(cast.ticket, tag, by=cast.dana)
    lines = cast.ticket.timeline.filter(action=TimelineEntry.Action.TAGS)
    assert [(line.actor, line.staff, line.public) for line in lines] == [
        (cast.bao, {"from": None, "to": "refund"}, None),
        (cast.dana, {"from": "refund", "to": None}, None),
    ]
    address = cast.ticket.get_absolute_url()
    assert "added the tag" in signed_in(cast.bao).get(address).content.decode()
    assert "refund" not in signed_in(cast.casey).get(address).content.decode()


def test_tag_does_not_change_what_the_customer_sees(cast: Cast) -> None:
    before = Ticket.objects.get(pk=cast.ticket.pk)
    tags.add_tag(cast.ticket, "refund", by=cast.bao)
    after = Ticket.objects.get(pk=cast.ticket.pk)
    assert (after.public_seq, after.public_updated_at) == (before.public_seq, before.public_updated_at)
    assert (after.staff_seq, after.version) == (before.staff_seq + 1, before.version + 1)


def test_update_sets_all_tags_with_other_fields(cast: Cast) -> None:
    tags.add_tag(cast.ticket, "refund", by=cast.bao)
    values = {"tags": ["vip", "Vip", "angry"], "priority": cast.priority("High")}
    services.update_ticket(cast.ticket, by=cast.bao, values=values)
    assert names(cast.ticket) == ["angry", "vip"]


def test_list_shows_and_finds_tags_for_staff_only(cast: Cast) -> None:
    tag = tags.add_tag(cast.ticket, "refund", by=cast.bao)
    assert found(cast.bao, tag) == [cast.ticket]
    assert found(cast.casey, tag) == []
    page = signed_in(cast.bao).get("/tickets/?tag=REFUND&status=all").content.decode()
    assert [cast.ticket.reference in page, 'data-tag="1" data-color="red"' in page] == [True, True]
    unknown = signed_in(cast.bao).get("/tickets/?tag=nothing").content.decode()
    assert "Unknown value. Choose one of: refund." in unknown
    assert "refund" not in signed_in(cast.casey).get("/tickets/").content.decode()


def test_agent_does_not_find_tags_of_a_ticket_they_only_asked(cast: Cast) -> None:
    baos = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    tag = tags.add_tag(baos, "furniture", by=cast.emil)
    assert (found(cast.emil, tag), found(cast.bao, tag)) == ([baos], [])


def test_bulk_change_adds_a_tag(cast: Cast) -> None:
    data = {"tickets": [str(cast.ticket.uuid)], "tag": "refund"}
    answer = signed_in(cast.bao).post("/tickets/bulk/", data, headers={"accept": "application/json"})
    assert (answer.json()["changed"], names(cast.ticket)) == (1, ["refund"])


def test_tags_of_a_page_work_without_scripts(cast: Cast) -> None:
    client, address = signed_in(cast.bao), cast.ticket.get_absolute_url()
    assert client.post(f"{address}tags/", {"tag": "refund"}).status_code == 302
    tag = Tag.objects.get()
    assert client.get("/tickets/tags/").json() == {"tags": ["refund"]}
    refused = client.post(f"{address}tags/", {"tag": ""})
    assert (refused.status_code, "Enter the name of a tag." in refused.content.decode()) == (422, True)
    assert client.post(f"{address}tags/remove/", {"tag": tag.pk}).status_code == 302
    assert client.post(f"{address}tags/remove/", {"tag": "no key"}).status_code == 302
    assert names(cast.ticket) == []


def test_only_admins_open_the_settings(cast: Cast) -> None:
    tag = Tag.objects.create(name="refund")
    for path in ("", "new/", f"{tag.pk}/", f"{tag.pk}/delete/"):
        assert signed_in(cast.ada).get(f"/settings/tags/{path}").status_code == 200
        assert signed_in(cast.bao).get(f"/settings/tags/{path}").status_code == 403
        assert signed_in(cast.bao).post(f"/settings/tags/{path}", {"name": "Other"}).status_code in (403, 405)
    for change in (lambda: tags.save_tag(tag, by=cast.bao), lambda: tags.delete_tag(tag, by=cast.bao)):
        with pytest.raises(PermissionDenied):
            change()


def test_settings_rename_a_tag_and_refuse_a_name_that_is_taken(cast: Cast) -> None:
    client, tag = signed_in(cast.ada), tags.add_tag(cast.ticket, "refund", by=cast.bao)
    Tag.objects.create(name="VIP")
    assert client.post(f"/settings/tags/{tag.pk}/", {"name": "money", "color": "teal"}).status_code == 302
    assert names(cast.ticket) == ["money"]
    refused = client.post(f"/settings/tags/{tag.pk}/", {"name": "vip", "color": "teal"})
    assert (refused.status_code, "There is already a tag of this name." in refused.content.decode()) == (422, True)
    with pytest.raises(IntegrityError):
        Tag.objects.create(name="vip")


def test_merged_tag_is_replaced_on_all_tickets_once(cast: Cast) -> None:
    other = services.open_ticket(by=cast.casey, subject="Late", content="Where?", office=cast.billing)
    for name in ("refund", "refunds"):
        tags.add_tag(cast.ticket, name, by=cast.bao)
    source, target = tags.add_tag(other, "refunds", by=cast.bao), Tag.objects.get(name="refund")
    page = signed_in(cast.ada).get(f"/settings/tags/{source.pk}/delete/").content.decode()
    assert "2 tickets have this tag." in page
    answer = signed_in(cast.ada).post(f"/settings/tags/{source.pk}/delete/", {"into": target.pk})
    assert answer.status_code == 302
    assert (names(cast.ticket), names(other)) == (["refund"], ["refund"])
    with pytest.raises(ValidationError):
        tags.delete_tag(target, by=cast.ada, into=target)


def test_api_merges_a_tag(cast: Cast) -> None:
    source, target = tags.add_tag(cast.ticket, "refunds", by=cast.bao), Tag.objects.create(name="refund")
    program = ApiClient(cast.ada)
    for into in ("999", str(source.pk), "x"):
        assert program.ask("DELETE", f"/api/v1/tags/{source.pk}/?into={into}").status_code == 422
    assert program.ask("DELETE", f"/api/v1/tags/{source.pk}/?into={target.pk}").status_code == 204
    shown = program.get(f"tickets/{cast.ticket.uuid}/").json()["tags"]
    assert shown == [{"id": target.pk, "name": "refund", "color": "gray"}]
    assert "tags" not in ApiClient(cast.casey).get(f"tickets/{cast.ticket.uuid}/").json()


async def test_renamed_and_merged_tags_reach_open_pages_of_staff(live_cast: Cast) -> None:
    tag = await do(lambda: tags.add_tag(live_cast.ticket, "refund", by=live_cast.bao))
    other = await do(lambda: tags.add_tag(live_cast.ticket, "vip", by=live_cast.bao))
    agent = await subscribe(live_cast.emil, live_cast.orders.channel)
    customer = await subscribe(live_cast.casey, live_cast.casey.channel)
    tag.name = "money"
    await do(lambda: tags.save_tag(tag, by=live_cast.ada))
    shown = {"id": tag.pk, "name": "money", "color": tag.color}
    event = await agent.event("tag.changed")
    assert (event["tag"], event["replacement"]) == ({"id": tag.pk}, shown)
    agent.received.clear()
    await do(lambda: tags.delete_tag(other, by=live_cast.ada, into=tag))
    event = await agent.event("tag.changed")
    assert event["replacement"] == shown
    await customer.receives_nothing(live_cast.casey.channel)
    assert not [frame for frame in customer.received if "tag" in frame["event"]]


def test_history_repeats_changes_of_tags_to_staff_only(cast: Cast) -> None:
    start, tag = history.current_cursor(), Tag.objects.create(name="refund")
    tags.delete_tag(tag, by=cast.ada)
    assert [event["event"] for event in history.read(cast.bao, [cast.billing.channel], start).events] == [
        "tag.changed"
    ]
    assert history.read(cast.casey, [cast.casey.channel], start).events == []
    with pytest.raises(RefusedChannels):
        history.read(cast.casey, [cast.billing.channel], start)
