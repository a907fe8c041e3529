"""Two admins on PostgreSQL who save the same unique value at the same moment."""

from threading import Barrier

import pytest

from accounts.models import User
from accounts.sign_in import sign_ups
from tests.integration.servers.database.concurrent_transactions import TIMEOUT, run_concurrently
from tests.test_admin import filled_in, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "front.desk@example.com"


def test_one_address_given_to_two_people_at_once_goes_to_one(live_cast, monkeypatch):
    both_validated, is_taken, turns = Barrier(2), sign_ups.is_taken, []

    def wait_for_the_other(email, **options):
        taken = is_taken(email, **options)
        turns.append(taken)
        if len(turns) <= 2:
            both_validated.wait(TIMEOUT)
        return taken

    def give(person):
        client = signed_in(live_cast.ada)
        page = f"/admin/accounts/user/{person.pk}/change/"
        data = filled_in(client, page, email=ADDRESS)
        return lambda: statuses.append(client.post(page, data).status_code)

    statuses = []
    acts = [give(person) for person in (live_cast.bao, live_cast.casey)]
    monkeypatch.setattr(sign_ups, "is_taken", wait_for_the_other)
    run_concurrently(acts)
    assert sorted(statuses) == [200, 302]
    assert turns == [False, False, True]
    assert User.objects.filter(email=ADDRESS).count() == 1
