"""The send guard: a message is not sent while others have added messages that its author has not seen."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from accounts.models import User
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import services
from tickets.models import Ticket
from tickets.unseen import UnseenMessages

pytestmark = pytest.mark.django_db


def send(cast: Cast, by: User, seen: UUID | None, **values: Any) -> Any:
    return services.add_reply(cast.ticket, by=by, message="Mine", seen=seen, **values)


@pytest.mark.parametrize(("sender", "writer", "internal"), [
    ("bao", "casey", False), ("bao", "dana", False), ("bao", "dana", True), ("casey", "bao", False),
])  # fmt: skip
def test_unseen_message_of_another_stops_the_sender(cast: Cast, sender: str, writer: str, internal: bool) -> None:
    first = cast.reply(cast.ada, "First")
    last = cast.reply(getattr(cast, writer), "Last", internal=internal)
    with pytest.raises(UnseenMessages):
        send(cast, getattr(cast, sender), first.pk)
    assert send(cast, getattr(cast, sender), last.pk).message == "Mine"


def test_note_does_not_stop_a_customer(cast: Cast) -> None:
    first = cast.reply(cast.bao, "First")
    cast.reply(cast.dana, "Refund?", internal=True)
    assert send(cast, cast.casey, first.pk).message == "Mine"


def test_own_messages_do_not_stop_a_user(cast: Cast) -> None:
    cast.reply(cast.bao, "From another tab")
    assert send(cast, cast.bao, cast.ticket.uuid).message == "Mine"


def test_first_message_is_unseen_in_an_empty_conversation(cast: Cast) -> None:
    cast.reply(cast.dana, "First")
    with pytest.raises(UnseenMessages):
        send(cast, cast.bao, cast.ticket.uuid)
    assert send(cast, cast.bao, None).message == "Mine"


def test_everything_is_unseen_after_a_deleted_message(cast: Cast) -> None:
    cast.reply(cast.dana, "First")
    gone = cast.reply(cast.dana, "Gone")
    services.delete_reply(gone, by=cast.dana)
    with pytest.raises(UnseenMessages):
        send(cast, cast.bao, gone.pk)


def test_message_that_comes_before_the_lock_counts(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = services.lock

    def lock_late(ticket: Ticket) -> Ticket:
        monkeypatch.setattr(services, "lock", lock)
        cast.reply(cast.dana, "Between the check of the form and the lock")
        return lock(ticket)

    monkeypatch.setattr(services, "lock", lock_late)
    with pytest.raises(UnseenMessages):
        send(cast, cast.bao, cast.ticket.uuid)


def test_repeated_form_is_not_stopped_by_an_answer(cast: Cast) -> None:
    key = uuid4()
    first = send(cast, cast.bao, cast.ticket.uuid, key=key)
    cast.reply(cast.casey, "Thank you")
    assert send(cast, cast.bao, cast.ticket.uuid, key=key) == first


def post(user: User, ticket: Ticket, accept: str, **fields: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/tickets/{ticket.uuid}/replies/", fields, HTTP_ACCEPT=accept)


def test_script_receives_the_unseen_messages(cast: Cast) -> None:
    cast.reply(cast.dana, "A note", internal=True)
    public = cast.reply(cast.dana, "An answer")
    form = {"message": "Mine", "seen": cast.ticket.uuid}
    for user, expected in ((cast.bao, ["A note", "An answer"]), (cast.casey, ["An answer"])):
        answer = post(user, cast.ticket, "application/json", **form)
        assert answer.status_code == 409
        assert [reply["message"] for reply in answer.json()["unseen"]] == expected
        assert answer.json()["seen"] == str(public.pk)
        again = post(user, cast.ticket, "application/json", **form | {"seen": public.pk})
        assert again.status_code == 201
        cast.ticket.replies.filter(author=user).delete()


def test_page_shows_the_unseen_messages_without_scripts(cast: Cast) -> None:
    cast.reply(cast.dana, "An answer")
    last = cast.reply(cast.dana, "One more")
    answer = post(cast.bao, cast.ticket, "text/html", message="Mine", seen=cast.ticket.uuid)
    assert answer.status_code == 409
    assert "New messages arrived while you were writing. Read them" in answer.text
    assert all(text in answer.text for text in ("An answer", "One more", ">Mine</textarea>"))
    assert f'name="seen" value="{last.pk}"' in answer.text


def test_api_client_may_name_what_it_has_seen(cast: Cast) -> None:
    last = cast.reply(cast.dana, "An answer")
    address = f"/api/v1/tickets/{cast.ticket.uuid}/replies/"
    client = ApiClient(cast.bao)
    answer = client.post(address, {"message": "Mine", "seen": str(cast.ticket.uuid)})
    assert (answer.status_code, answer.json()["code"]) == (409, "unseen_messages")
    for more in ({"seen": str(last.pk)}, {}):
        assert client.post(address, {"message": "Mine", **more}).status_code == 201
