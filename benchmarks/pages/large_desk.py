"""Fills a desk with tickets as it has after years: 1.5 % open, three replies each, written by SQL on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

OFFICES, AGENTS, TICKETS_PER_CUSTOMER, REPLIES = 20, 60, 50, 3
OPEN_SHARE = 0.015
TOPIC = "(ARRAY['an invoice', 'a refund', 'a parcel', 'my login'])[1 + n % 4]"
CONTENT = (
    "'Since this morning order INV-' || n || ' cannot be opened.' || CASE n % 50 WHEN 0 THEN ' 发票已付' ELSE '' END"
)
DOMAIN = "example.com"
KEYS = {
    "customers": "accounts_user WHERE role = 'customer'",
    "agents": "accounts_user WHERE role = 'agent'",
    "offices": "accounts_office",
}


@dataclass(frozen=True)
class People:
    """Those whose pages are measured: the agent works in two offices."""

    admin: Any
    agent: Any
    customer: Any


def fill(tickets: int, *, finish: str = "VACUUM ANALYZE") -> People:
    """Write `tickets` tickets into an empty, migrated database; in a transaction it can only ANALYZE."""
    people = _write_people(max(1, tickets // TICKETS_PER_CUSTOMER))
    _write_tickets(tickets)
    _write_replies(tickets)
    with connection.cursor() as cursor:
        cursor.execute(finish)
    return people


def _write_people(customers: int) -> People:
    from accounts.models import Office, User

    offices = Office.objects.bulk_create(Office(name=f"Office {n:02}") for n in range(OFFICES))
    admin = User.objects.create_user("admin@" + DOMAIN, name="Ada Admin", role=User.Role.ADMIN)
    agents = User.objects.bulk_create(
        User(email=f"agent{n}@{DOMAIN}", name=f"Agent {n}", role=User.Role.AGENT, password="!") for n in range(AGENTS)
    )
    through = Office.agents.through
    through.objects.bulk_create(
        through(office_id=offices[(n + shift) % OFFICES].pk, user_id=agent.pk)
        for n, agent in enumerate(agents)
        for shift in (0, 7)
    )
    people = User.objects.bulk_create(
        (User(email=f"customer{n}@{DOMAIN}", name=f"Customer {n}", password="!") for n in range(customers)),
        batch_size=5000,
    )
    return People(admin, agents[0], people[0])


def _write_tickets(number: int) -> None:
    from tickets.models import Priority, Status, Ticket

    closed = Status.objects.filter(is_closed=True).first()
    assert closed is not None
    opened = f"(n > {int(number * (1 - OPEN_SHARE))})"
    age = f"(now() - interval '3 years' * ({number} - n) / {number})"
    values = {
        "id": "n",
        "uuid": "gen_random_uuid()",
        "reference": "overlay(lpad(n::text, 7, '0') placing '-' from 4 for 0)",
        "subject": f"'Question ' || n || ' about ' || {TOPIC}",
        "content": CONTENT,
        "rendered": f"'<p>' || {CONTENT} || '</p>'",
        "creator_id": "(SELECT keys[1 + n % cardinality(keys)] FROM customers)",
        "office_id": f"(SELECT keys[1 + n * 7 % {OFFICES}] FROM offices)",
        "assigned_to_id": f"CASE WHEN n % 3 > 0 THEN (SELECT keys[1 + n * 11 % {AGENTS}] FROM agents) END",
        "status_id": f"CASE WHEN {opened} THEN {Status.default().pk} ELSE {closed.pk} END",
        "priority_id": str(Priority.default().pk),
        "waiting_for": "CASE WHEN n % 2 = 0 THEN 'staff' ELSE 'customer' END",
        **dict.fromkeys(("public_seq", "staff_seq", "last_number", "last_public_number"), str(REPLIES)),
        **dict.fromkeys(("created_at", "updated_at", "public_updated_at", "waiting_since"), age),
        **dict.fromkeys(("last_message_at", "last_public_message_at"), age),
    }
    values["closed_at"] = f"CASE WHEN NOT {opened} THEN {age} END"
    _insert(Ticket, values, f"generate_series(1, {number}) AS n")


def _write_replies(number: int) -> None:
    from accounts.text.folding import FOLDING_VERSION
    from tickets.models import Reply, SearchText, Ticket, TimelineEntry

    rows = f"{Ticket._meta.db_table} AS t, generate_series(1, {REPLIES}) AS r"
    text = "'Please try again, ticket ' || t.id || ', answer ' || r || ' of the thread.'"
    author = "CASE WHEN r % 2 = 0 THEN t.creator_id ELSE coalesce(t.assigned_to_id, t.creator_id) END"
    values = {
        "id": "gen_random_uuid()", "ticket_id": "t.id", "author_id": author, "message": text, "number": "r",
        "rendered": f"'<p>' || {text} || '</p>'", "created_at": "t.created_at + interval '1 hour' * r",
    }  # fmt: skip
    _insert(Reply, values, rows)
    entry = {
        "id": f"(t.id - 1) * {REPLIES} + r", "ticket_id": "t.id", "actor_id": author, "number": "r",
        "action": "CASE WHEN r = 1 THEN 'created' ELSE 'replied' END", "audience": "'public'",
        "public": "'{}'::jsonb", "staff": "'{}'::jsonb", "created_at": "t.created_at",
    }  # fmt: skip
    _insert(TimelineEntry, entry, rows)
    # As `searchable` returns these texts: words between single spaces, and characters that stand alone.
    spaced = r"' ' || btrim(regexp_replace(lower(x.text), '(\.(?= |$)|[,发票已付])\s*', ' \1 ', 'g')) || ' '"
    spaced = f"regexp_replace({spaced}, ' +', ' ', 'g')"
    found = {"ticket_id": "x.ticket_id", "reply_id": "x.reply_id", "text": spaced, "version": str(FOLDING_VERSION)}
    texts = f"""
        SELECT id AS ticket_id, NULL::uuid AS reply_id,
            reference || ' ' || replace(reference, '-', '') || ' ' || subject || ' ' || content AS text
        FROM {Ticket._meta.db_table} UNION ALL SELECT ticket_id, id, message FROM {Reply._meta.db_table}"""
    with _without_indexes_of_parts(SearchText._meta.db_table):
        _insert(SearchText, found, f"({texts}) AS x")


@contextmanager
def _without_indexes_of_parts(table: str) -> Iterator[None]:
    """Build the GIN indexes of a table after its rows: each row would be sorted into them alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%USING gin%%'",
            [table],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # in a transaction: what is to be checked prevents the change
        cursor.execute("SET maintenance_work_mem = '256MB'")
        for _name, definition in indexes:
            cursor.execute(definition)


def _insert(model: type[models.Model], values: dict[str, str], rows: str) -> None:
    """Insert one row of `model` for each of `rows`; columns without a value get the default of their field."""
    fields = [field for field in model._meta.concrete_fields if field.column in values or not _is_serial(field)]
    sent = [field.get_db_prep_save(field.get_default(), connection) for field in fields if field.column not in values]
    selected = ", ".join(
        values[field.column].replace("%", "%%") if field.column in values else "%s" for field in fields
    )
    names = ", ".join(f'"{field.column}"' for field in fields)
    keys = [
        f"{name} AS (SELECT array_agg(id ORDER BY id) AS keys FROM {table})"
        for name, table in KEYS.items()
        if f"FROM {name}" in selected
    ]
    start = f"WITH {', '.join(keys)} " if keys else ""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'{start}INSERT INTO "{table}" ({names}) SELECT {selected} FROM {rows}', sent)
        if "id" in values and _is_serial(model._meta.pk):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def _is_serial(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.AutoField | models.BigAutoField)
