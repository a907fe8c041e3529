"""How many bytes the pages of the list take, and how many function calls: what grows with each row."""

import pytest
from django.test import Client

from tests.support.cast import Cast
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
ROWS = 50
MAX_BYTES = {"ada": 124_500, "bao": 124_500, "casey": 62_000}
MAX_BYTES_OF_A_ROW = {"ada": 1_450, "bao": 1_450, "casey": 850}


def length(cast: Cast, name: str) -> int:
    client = Client()
    client.force_login(getattr(cast, name))
    page = client.get("/tickets/")
    assert page.status_code == 200
    return len(page.content)


@pytest.mark.parametrize("name", list(MAX_BYTES))
def test_bytes_of_fifty_rows(cast: Cast, name: str) -> None:
    before = length(cast, name)
    same = {"office": cast.billing, "status": cast.status("Open"), "priority": cast.priority("Low")}
    Ticket.objects.bulk_create(
        Ticket(creator=cast.casey, subject=f"The invoice of last month {number}", content="It cannot be opened. " * 5,
               assigned_to=cast.bao, waiting_for="staff", waiting_since=cast.ticket.created_at, **same)
        for number in range(ROWS - 1)
    )  # fmt: skip
    after = length(cast, name)
    assert (after - before) / (ROWS - 1) < MAX_BYTES_OF_A_ROW[name]
    assert after < MAX_BYTES[name]
