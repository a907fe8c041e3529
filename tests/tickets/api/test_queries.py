"""The number of queries of an endpoint does not depend on the number of rows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import DeskSettings, Office, User
from accounts.sign_in import tokens
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets.models import Attachment, Priority, Reply, Status, Ticket, TimelineEntry

pytestmark = pytest.mark.django_db
ROWS = (1, 10, 100)

# For staff, and for a customer, who sees fewer fields.
LISTS = {
    "tickets/?status=all&size=100": (8, 4),
    "tickets/?status=all&size=100&q=twice": (11, 7),  # the tickets that may match, their texts, and their customers
    "tickets/{}/": (6, 4),
    "tickets/{}/replies/?size=100": (7, 5),
    "tickets/{}/timeline/?size=100": (5, 3),
    "me/": (2, 1),
    "offices/": (2, 2),
    "statuses/": (2, 2),
    "priorities/": (2, 2),
    "assignees/": (2, 1),
    "auth/token/": (2, 2),
}


@pytest.fixture(autouse=True)
def _token_use_is_recorded_once(monkeypatch):
    """And not again each minute: on a busy machine a test takes one."""
    monkeypatch.setattr(tokens, "LAST_USED_INTERVAL", timedelta(days=1))


def grow(cast: Cast, *, have: int, want: int) -> None:
    """Create rows of every kind, each by and about another user, so that a query per row shows."""
    numbers = range(have, want)
    users = User.objects.bulk_create(
        User(email=f"a{n}@example.com", name=f"Agent {n}", role="agent") for n in numbers
    )
    Office.objects.bulk_create(Office(name=f"Office {n}") for n in numbers)
    Status.objects.bulk_create(Status(name=f"Status {n}", color="#000000") for n in numbers)
    Priority.objects.bulk_create(Priority(name=f"Priority {n}", color="#000000") for n in numbers)
    same = {"office": cast.billing, "status": cast.status("Open"), "priority": cast.priority("Low")}
    Ticket.objects.bulk_create(
        Ticket(creator=cast.casey, assigned_to=user, subject="Charged twice", content="x", **same)
        for user in (users if have else users[1:])  # beside the cast's own
    )
    replies = Reply.objects.bulk_create(
        Reply(ticket=cast.ticket, author=user, message="Hello", number=number)
        for number, user in zip(numbers, users, strict=True)
    )
    Attachment.objects.bulk_create(
        Attachment(uploader=reply.author, ticket=cast.ticket, reply=reply, filename="a", size=1, file="x")
        for reply in replies
    )
    TimelineEntry.objects.bulk_create(
        TimelineEntry(ticket=cast.ticket, actor=user, action="assigned_to", audience="public", public={}, number=1,
                      from_user=user, to_user=cast.bao)
        for user in users
    )  # fmt: skip


def queries(program: ApiClient, path: str) -> int:
    DeskSettings.current()  # remembered for seconds
    with CaptureQueriesContext(connection) as captured:
        assert program.get(path).status_code == 200
    # Without Redis rate limits are counted in the database: one query each for address, user and token.
    return sum("realtime_hitcount" not in query["sql"] for query in captured)


@pytest.mark.parametrize("path", LISTS)
def test_query_count_is_the_same_for_1_10_and_100_rows(cast: Cast, path: str) -> None:
    address, asked, have = path.format(cast.ticket.uuid), [], 0
    programs = [ApiClient(cast.bao), ApiClient(cast.casey)]
    for program in programs:
        program.get("me/")  # the first use of a token is recorded
    for want in ROWS:
        grow(cast, have=have, want=want)
        have = want
        asked.append(tuple(queries(program, address) for program in programs))
    assert asked == [LISTS[path]] * len(ROWS)
