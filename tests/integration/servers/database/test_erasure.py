"""An erased person is nowhere on PostgreSQL either; and two admins who erase each other leave one."""

from threading import Barrier, Thread

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from accounts.models import User
from tests.support.cast import Cast
from tests.support.personal_data import places
from tests.tickets.privacy.scenario import TEXTS, TRACES, leave_traces
from tickets import services
from tickets.models import Ticket
from tickets.people import handover
from tickets.privacy.erasure import erase_person


@pytest.mark.parametrize("delete_tickets", [False, True], ids=["kept", "deleted"])
def test_nothing_names_an_erased_person(live_cast: Cast, delete_tickets: bool) -> None:
    person = leave_traces(live_cast, "agent")
    # Rates and sockets are counted in Redis here, and what the scenario wrote to these tables is found all the same.
    assert places(*TEXTS) >= TRACES
    erase_person(person, by=live_cast.ada, delete_tickets=delete_tickets)
    assert places(*TEXTS) == set()
    assert connection.vendor == "postgresql"


def test_two_admins_who_erase_each_other_leave_one(live_cast: Cast) -> None:
    ada, second = live_cast.ada, User.objects.create_superuser("second@example.com", name="Second")
    barrier, refused = Barrier(2), []

    def erase(person: User, by: User) -> None:
        try:
            barrier.wait()
            erase_person(User.objects.get(pk=person.pk), by=User.objects.get(pk=by.pk))
        except PermissionDenied as error:
            refused.append(str(error))
        finally:
            connection.close()

    threads = [Thread(target=erase, args=pair) for pair in ((ada, second), (second, ada))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert User.objects.filter(role="admin", is_active=True).count() == 1


def test_open_tickets_are_handed_over_in_batches(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "BATCH_SIZE", 2)
    for _ in range(5):
        ticket = services.open_ticket(by=live_cast.casey, subject="x", content="x", office=live_cast.billing)
        services.update_ticket(ticket, by=live_cast.ada, values={"assigned_to": live_cast.bao})
    assert handover.deactivate(live_cast.bao, by=live_cast.ada, to=live_cast.dana) == 5
    assert Ticket.objects.filter(assigned_to=live_cast.dana).count() == 5
