"""Test search on PostgreSQL: the same results as on SQLite, each by an index."""

import os
import subprocess
import sys

import psycopg
import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.support.cast import create_cast
from tests.support.servers import instances
from tests.tickets.search import test_results as results
from tests.tickets.search.test_operators import test_operators_find_what_filters_find  # noqa: F401
from tests.tickets.search.test_results import *  # noqa: F403  (the tests of SQLite)
from tickets.models import SearchText, Ticket
from tickets.search import queries
from tickets.search.matches import address_contains, contains, matches
from tickets.search.terms import parse

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(db):
    return create_cast()


def test_notes_are_found_by_staff_of_their_ticket_alone(cast):
    cast.reply(cast.bao, "Suspicious zebra", internal=True)
    for text in ("zebra", "suspicious zeb", "ebr", '"suspicious zebra"'):
        assert results.found(cast.ada, text) == results.found(cast.bao, text) == ["Charged twice"], text
        assert results.found(cast.casey, text) == results.found(cast.emil, text) == [], text


@pytest.mark.parametrize(
    "text",
    ["%", "_", "'", '"', '"open', "-", "- -", "or", "a or", "or b", "(", "a & b", "!x", "x:*", "\\", "💥", ":*", "-x",
     "' | 'x", "a" * 200, "ß", "İ", "a_b", "__"],
)  # fmt: skip
def test_any_text_is_a_valid_query(cast, text):
    assert isinstance(results.found(cast.ada, text), list)


def plan(rows):
    """Return how the database would look them up, if sequential scans were very expensive."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.order_by().explain()


def plan_of(sql):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("text", ["charged", '"two charges"', "ab", "a", "发票", "票", "%"])
def test_each_kind_of_text_has_an_index(cast, text):
    parts = parse(text).terms[0].parts
    texts = SearchText.objects.filter(contains("text", parts))
    assert "public_text_parts" in plan(texts.filter(is_internal=False))
    assert "note_text_parts" in plan(texts.filter(is_internal=True))
    assert "user_folded_name_parts" in plan(User.objects.filter(contains("folded_name", parts)))


@pytest.mark.parametrize("text", ["casey", "ample.com", "y@ex", "ab"])
def test_parts_of_addresses_have_an_index(cast, text):
    has_part = address_contains("email", parse(text).terms[0].parts)
    assert "user_email_parts" in plan(User.objects.filter(has_part))
    assert "emailaddress_parts" in plan(EmailAddress.objects.filter(has_part))


def test_texts_of_given_tickets_are_read_by_their_keys(cast):
    """Not by the index of parts, which would read all texts with a frequent word."""
    keys = list(Ticket.objects.values_list("pk", flat=True))
    for user in (cast.ada, cast.bao, cast.casey):
        with CaptureQueriesContext(connection) as captured:
            assert matches(keys, parse("charged"), user=user)
        read = [query["sql"] for query in captured if "searchtext" in query["sql"]]
        assert read
        assert not any("text_parts" in plan_of(sql) for sql in read)
    assert "text_parts" in plan(queries._texts([" charged "], cast.ada)[0])


def test_customers_search_does_not_use_the_index_of_notes(cast):
    for text in ("charged", "ab", "a"):
        assert "note_" not in plan(queries.search_index(Ticket.objects.all(), parse(text), cast.casey))


def test_database_owner_can_migrate_without_being_a_superuser(database_url):
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("CREATE ROLE owner LOGIN")
        server.execute("CREATE DATABASE owned OWNER owner")
    owned = database_url.replace("postgres@/postgres", "owner@/owned")
    environment = {**os.environ, "DATABASE_URL": owned, "DEBUG": "true"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    for target in ([], ["tickets", "0002"], []):
        command = [sys.executable, "manage.py", "migrate", "-v0", *target]
        subprocess.run(command, check=True, cwd=instances.TOP, env=environment, capture_output=True)
    with psycopg.connect(owned) as server:
        names = {name for (name,) in server.execute("SELECT indexname FROM pg_indexes")}
    assert {"public_text_parts", "note_text_parts", "user_folded_name_parts"} <= names


def test_people_are_sorted_by_code_point(cast):
    """The server's locale would put "de la Cruz" behind "dean" or before it."""
    names = ["anna Klein", "Ärne Groß", "de la Cruz", "dean", "Zoe Adams"]
    User.objects.bulk_create(
        User(email=f"p{n}@example.com", name=name, role="customer") for n, name in enumerate(reversed(names))
    )
    assert [user.name for user in User.objects.filter(name__in=names)] == names
