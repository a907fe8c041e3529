"""No page reads a table that grows with the desk from end to end: the plans of its queries on PostgreSQL."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.pages import large_desk
from realtime.models import Broadcast
from tickets import policies
from tickets.models import ReadMark, Reply, SearchText, Ticket, TimelineEntry

pytestmark = pytest.mark.django_db
TICKETS = 2_000
TIMES = 50  # as often the planner is made to believe each row exists: the plans are those of a desk of 100,000
GROWING = {model._meta.db_table for model in (Ticket, Reply, TimelineEntry, SearchText, Broadcast)}
PAGES = {
    "list": "/tickets/",
    "closed tickets": "/tickets/?status=closed",
    "all tickets": "/tickets/?status=all",
    "waiting tickets": "/tickets/?status=waiting",
    "unread tickets": "/tickets/?status=unread",
    "snoozed tickets": "/tickets/?status=snoozed",
    "dashboard": "/",
    "counts": "/tickets/counts/",
    "ticket": "/tickets/{ticket}/",
    "API list": "/api/v1/tickets/",
    "search for a number": "/tickets/?q=1711",
    "search for a part": "/tickets/?q=v-171",
    "search for a name": "/tickets/?q=customer+17",
    "search for characters": "/tickets/?q=发票",
    "reports": "/reports/?by=agent",
}
# Known scans of tickets: the many of an agent or a customer in the order of their last change.
KNOWN = {
    *(("agent", name) for name in ("API list", "all tickets", "closed tickets")),
}
BOUNDED = "SELECT COUNT(*) FROM (SELECT"  # stops at its LIMIT
SCANNED = re.compile(r"Seq Scan on (?:public\.)?\"?(\w+)")


@pytest.fixture
def people(db):
    """A desk with the statistics of a large one: a plan is as good as what it knows of the number of rows."""
    found = large_desk.fill(TICKETS, finish="ANALYZE")
    Broadcast.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET reltuples = reltuples * %s WHERE relname LIKE 'tickets\\_%%' AND reltuples > 500",
            [TIMES],
        )
    return found


def scanned(sql):
    """Return the growing tables that a query would read from end to end."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return {table: plan for table in SCANNED.findall(plan) if table in GROWING}


def selects(action):
    with CaptureQueriesContext(connection) as captured:
        action()
        queries = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in queries if sql.startswith("SELECT")]


def test_pages_scan_no_growing_table(people):
    """One desk for all pages: it takes seconds to write."""
    found = {}
    for role in ("admin", "agent", "customer"):
        person = getattr(people, role)
        client = Client()
        client.force_login(person)
        ticket = policies.listed_tickets(person).first().uuid
        for name, path in PAGES.items():
            queries = selects(lambda: client.get(path.format(ticket=ticket)))  # noqa: B023
            assert any("tickets_ticket" in sql for sql in queries), (role, name)
            for sql in queries:
                is_bounded = sql.startswith(BOUNDED) and " LIMIT " in sql
                if not is_bounded and (role, name) not in KNOWN and (plans := scanned(sql)):
                    found[role, name, *plans] = f"{sql}\n{next(iter(plans.values()))}"
    assert not found, "\n\n".join(f"{key}: {text}" for key, text in found.items())


def rows_read(sql):
    """Return how many rows of tickets and read marks a query reads, also those that it drops."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        ((((root,),),),) = (cursor.fetchall(),)
    nodes, number = [root["Plan"]], 0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") in ("tickets_ticket", "tickets_readmark"):
            number += (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return number


def test_unread_view_reads_no_more_than_may_be_unread(people):
    """The worst case: all that was ever closed has been read, and nothing is unread."""
    keys = Ticket.objects.values_list("pk", flat=True)
    users = people.admin, people.agent, people.customer
    ReadMark.objects.bulk_create(ReadMark(user=user, ticket_id=key, number=9) for user in users for key in keys)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tickets_readmark")
    for user in users:
        client = Client()
        client.force_login(user)
        queries = selects(lambda: client.get("/tickets/?status=unread"))  # noqa: B023
        reading = [sql for sql in queries if "readmark" in sql]
        within = {"creator": user} if user.is_customer else {"status__is_closed": False}
        most = Ticket.objects.filter(**within).count()
        assert len(reading) == 3, user.role  # the page, its number, and the badge
        for sql in reading:
            assert rows_read(sql) <= 4 * most, (user.role, sql)


@pytest.mark.usefixtures("people")
def test_scan_is_noticed():
    for rows in (Ticket.objects.filter(content__contains="17"), Reply.objects.filter(message__contains="17")):
        assert scanned(str(rows.query).replace("%17%", "'%17%'")), rows.query
