"""Test search on PostgreSQL: words, prefixes, phrases and typing errors, each by an index."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.support import instances
from tests.support.cast import create_cast
from tickets import search as searching
from tickets import services
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(db):
    return create_cast()


def found(user, text):
    client = Client()
    client.force_login(user)
    response = client.get("/tickets/", {"q": text, "status": "all"})
    assert response.status_code == 200
    return sorted(row["ticket"]["subject"] for row in response.context["rows"])


@pytest.fixture(autouse=True)
def _others(cast):
    for subject, content in (
        ("Chair", "A leg fell off the armchair"),
        ("Invoice for May", "Order ORD-4711-X was charged"),
    ):
        services.open_ticket(by=cast.greta, subject=subject, content=content, office=cast.orders)


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("charged may", ["Charged twice", "Invoice for May"]),
        ("CHARGED", ["Charged twice", "Invoice for May"]),
        ('"two charges"', ["Charged twice"]),
        ('"charges two"', []),
        ("charged -order", ["Charged twice"]),
        ("leg or twice", ["Chair", "Charged twice"]),
        ("two char", ["Charged twice"]),
        ("off arm", ["Chair"]),
        ("mchair", ["Chair"]),
        ("4711", ["Invoice for May"]),
        ("chrged twice", ["Charged twice"]),
        ("invioce", ["Invoice for May"]),
        ("greta", ["Chair", "Invoice for May"]),
        ("lindqist", ["Chair", "Invoice for May"]),
        ("greta leg", ["Chair"]),
        ("elephant", []),
    ],
)
def test_search_finds_subjects_references_and_messages(cast, text, subjects):
    assert found(cast.ada, text) == subjects


def test_notes_are_found_by_staff_of_their_ticket_alone(cast):
    cast.reply(cast.bao, "Suspicious zebra", internal=True)
    for text in ("zebra", "suspicious zeb", "ebr", '"suspicious zebra"'):
        assert found(cast.ada, text) == found(cast.bao, text) == ["Charged twice"], text
        assert found(cast.casey, text) == found(cast.emil, text) == [], text


def test_note_does_not_change_a_customers_similar_results(cast):
    before = found(cast.casey, "chrged")
    cast.reply(cast.bao, "chrged", internal=True)
    assert found(cast.casey, "chrged") == before == ["Charged twice"]


@pytest.mark.parametrize(
    "text",
    ["%", "_", "'", '"', '"open', "-", "- -", "or", "a or", "or b", "(", "a & b", "!x", "x:*", "\\", "💥", ":*", "-x",
     "' | 'x", "a" * 200, "ß", "İ", "a_b", "__"],
)  # fmt: skip
def test_any_text_is_a_valid_query(cast, text):
    assert isinstance(found(cast.ada, text), list)


def plan(rows):
    """Return how the database would look them up, if sequential scans were very expensive."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return rows.order_by().explain()


def test_search_uses_the_index_of_each_text(cast):
    plans = plan(Ticket.objects.filter(searching._by_full_text("charged", cast.bao)))
    for index in ("ticket_words", "reply_words", "note_words"):
        assert index in plans
    plans = plan(Ticket.objects.filter(searching._by_part("charged", cast.bao, or_similar=True)))
    for index in ("ticket_subject_parts", "ticket_content_parts", "reply_parts", "note_parts"):
        assert index in plans
    assert "user_name_parts" in plan(searching._users_named(["charged"], cast.bao))


def test_customers_search_does_not_use_the_index_of_notes(cast):
    for condition in (searching._by_full_text("charged", cast.casey), searching._by_part("charged", cast.casey)):
        assert "note_" not in plan(Ticket.objects.filter(condition))


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
    assert {"ticket_words", "note_words", "user_name_parts"} <= names


def test_people_are_sorted_by_code_point(cast):
    """The server's locale would put "de la Cruz" behind "dean" or before it."""
    names = ["anna Klein", "Ärne Groß", "de la Cruz", "dean", "Zoe Adams"]
    User.objects.bulk_create(
        User(email=f"p{n}@example.com", name=name, role="customer") for n, name in enumerate(reversed(names))
    )
    assert [user.name for user in User.objects.filter(name__in=names)] == names
