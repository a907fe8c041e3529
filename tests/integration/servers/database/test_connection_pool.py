"""Connections to PostgreSQL are kept for the next request, as long as they are good."""

import psycopg
import pytest
from django.db import connection

from accounts.models import User


def terminate_all_connections(database_url):
    others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with psycopg.connect(database_url) as database:
        database.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


@pytest.fixture
def _pool_of_its_own():
    """Threads of other tests hold connections of the one that there is, and never return them."""
    connection.close()
    connection.close_pool()


@pytest.mark.usefixtures("live_cast", "_pool_of_its_own")
def test_terminated_connection_is_replaced_on_the_next_request(database_url):
    assert User.objects.filter(email="casey@example.com").exists()
    connection.close()  # a request ends: its connection waits for the next one
    terminate_all_connections(database_url)
    assert User.objects.filter(email="casey@example.com").exists()
