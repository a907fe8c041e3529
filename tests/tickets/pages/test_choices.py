"""The settings pages of statuses and priorities."""

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tests.support.jobs import run_due_jobs
from tickets import services
from tickets.configuration import choices, replacements
from tickets.models import Priority, Status, TimelineEntry

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def pk(name: str) -> int:
    return Status.objects.get(name=name).pk


def names() -> list[str]:
    return list(Status.objects.values_list("name", flat=True))


@pytest.mark.parametrize(
    "path",
    ["/settings/statuses/", "/settings/statuses/new/", "/settings/statuses/1/", "/settings/priorities/1/delete/"],
)
def test_only_admins_open_settings(cast: Cast, path: str) -> None:
    assert signed_in(cast.ada).get(path).status_code == 200
    assert signed_in(cast.bao).get(path).status_code == 403
    assert signed_in(cast.casey).get(path).status_code == 403
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize("name", ["bao", "casey"])
def test_others_change_no_setting(cast: Cast, name: str) -> None:
    client, before = signed_in(getattr(cast, name)), list(Status.objects.values())
    posts = {"new/": {"name": "New", "color": "#000000"}, "1/": {"name": "Other", "color": "#000000"}}
    posts |= {"order/": {"order": ["4", "1"]}, "3/delete/": {}}
    assert {client.post(f"/settings/statuses/{path}", data).status_code for path, data in posts.items()} == {403}
    assert list(Status.objects.values()) == before


def test_new_status_comes_last_and_is_offered(cast: Cast) -> None:
    client = signed_in(cast.ada)
    data = {"name": "With supplier", "color": "#0f766e", "awaits_customer": "on"}
    assert client.post("/settings/statuses/new/", data).status_code == 302
    assert names()[-1] == "With supplier"
    assert "With supplier" in signed_in(cast.bao).get(cast.ticket.get_absolute_url()).content.decode()


def test_new_default_replaces_the_old_one(cast: Cast) -> None:
    data = {"name": "In Progress", "color": "#c2410c", "is_default": "on"}
    assert signed_in(cast.ada).post(f"/settings/statuses/{pk('In Progress')}/", data).status_code == 302
    assert list(Status.objects.filter(is_default=True).values_list("name", flat=True)) == ["In Progress"]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("Open", {"name": "Open"}, "Make another one the default instead."),
        (
            "Open",
            {"name": "closed", "is_default": "on", "is_closed": "on"},
            "The default status can&#x27;t be closed",
        ),
        ("On Hold", {"name": "Closed"}, "already exists"),
        (
            "On Hold",
            {"name": "On Hold", "is_closed": "on", "awaits_customer": "on"},
            "can&#x27;t wait for the customer",
        ),
        ("On Hold", {"name": ""}, "This field is required"),
        ("On Hold", {"name": "On Hold", "color": "red"}, "Enter a colour as #rrggbb."),
    ],
)
def test_invalid_status_is_refused(cast: Cast, name: str, data: dict[str, str], sentence: str) -> None:
    before = list(Status.objects.values())
    response = signed_in(cast.ada).post(f"/settings/statuses/{pk(name)}/", {"color": "#123456"} | data)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert list(Status.objects.values()) == before


def test_order_is_saved_whole_or_by_one_place(cast: Cast) -> None:
    client = signed_in(cast.ada)
    order = [pk(name) for name in ("Closed", "Open")]
    client.post("/settings/statuses/order/", {"order": [*order, "999", "x"]})
    assert names() == ["Closed", "Open", "In Progress", "On Hold"]
    client.post("/settings/statuses/order/", {"choice": pk("On Hold"), "move": "up"})
    assert names() == ["Closed", "Open", "On Hold", "In Progress"]
    client.post("/settings/statuses/order/", {"choice": pk("Closed"), "move": "up"})
    assert names()[0] == "Closed"


def test_status_without_tickets_is_deleted_at_once(cast: Cast) -> None:
    client, address = signed_in(cast.ada), f"/settings/statuses/{pk('On Hold')}/delete/"
    assert client.get(address).status_code == 200
    assert client.post(address).status_code == 302
    assert "On Hold" not in names()


def test_default_is_not_deleted(cast: Cast) -> None:
    response = signed_in(cast.ada).post(f"/settings/statuses/{pk('Open')}/delete/", {"replacement": pk("Closed")})
    assert response.status_code == 422
    assert "This is the default" in response.content.decode()
    assert "Open" in names()


@pytest.mark.parametrize("batches", [1, 10])
def test_tickets_change_before_their_status_is_deleted(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(replacements, "BATCH_SIZE", 1)
    monkeypatch.setattr(replacements, "BATCHES_OF_A_JOB", batches)
    tickets = [cast.ticket, *(_opened(cast, f"Another {number}") for number in range(2))]
    client, progress = signed_in(cast.ada), Status.objects.get(name="In Progress")
    choices.save_choice(progress, by=cast.ada, is_default=True)
    address = f"/settings/statuses/{pk('Open')}/delete/"
    assert client.post(address).status_code == 422
    assert client.post(address, {"replacement": pk("Open")}).status_code == 422
    assert client.post(address, {"replacement": progress.pk}).status_code == 302
    assert "Deleting…" in client.get("/settings/statuses/").content.decode()
    run_due_jobs()
    assert "Open" not in names()
    for ticket in tickets:
        ticket.refresh_from_db()
        assert ticket.status == progress
        assert ticket.timeline.filter(action=TimelineEntry.Action.STATUS, actor=cast.ada).count() == 1
    assert "Deleting…" not in client.get("/settings/statuses/").content.decode()


def test_deletion_stops_when_its_admin_may_no_longer(cast: Cast) -> None:
    progress = Status.objects.get(name="In Progress")
    choices.save_choice(progress, by=cast.ada, is_default=True)
    replacements.delete_value(Status.objects.get(name="Open"), by=cast.ada, replacement=progress)
    User.objects.filter(pk=cast.ada.pk).update(role=User.Role.CUSTOMER)
    run_due_jobs()
    assert "Open" in names()


def test_priorities_have_pages_of_their_own(cast: Cast) -> None:
    client = signed_in(cast.ada)
    assert client.post("/settings/priorities/new/", {"name": "Someday", "color": "#64748b"}).status_code == 302
    assert Priority.objects.last().name == "Someday"
    medium, low = Priority.objects.get(name="Medium"), Priority.objects.get(name="Low")
    assert client.post(f"/settings/priorities/{low.pk}/", {"name": "Low", "color": "#64748b", "is_default": "on"})
    assert client.post(f"/settings/priorities/{medium.pk}/delete/", {"replacement": low.pk}).status_code == 302
    run_due_jobs()
    cast.ticket.refresh_from_db()
    assert cast.ticket.priority == low
    assert not Priority.objects.filter(pk=medium.pk).exists()


def _opened(cast: Cast, subject: str):
    return services.open_ticket(by=cast.casey, subject=subject, content=subject, office=cast.billing)
