"""One new address named by several at once, on PostgreSQL: there is one account."""

from functools import partial

from accounts import customers
from accounts.models import User
from tests.integration.servers.database.concurrent_transactions import run_concurrently
from tickets import services


def test_one_new_address_gets_one_account(live_cast):
    values = {"subject": "Late", "content": "Where?", "office": live_cast.billing, "by": live_cast.bao}
    create = partial(customers.customer_for_address, "nora@example.com", "Nora")
    open_ticket = partial(services.open_ticket_for, "Nora <Nora@example.com>", **values)
    run_concurrently([create] * 4 + [open_ticket] * 4)
    assert User.objects.get(email="nora@example.com").created_tickets.count() == 4
