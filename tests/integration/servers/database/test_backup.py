"""The commands of docs/backup.md: a dump is restored whole, and open pages reload after it."""

import subprocess

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from realtime.broadcasting import history
from realtime.models import Broadcast, Delivery
from tests.support.servers.instances import postgres_programs, unprivileged

RESTORED = "restored"
COUNT = "SELECT count(*), COALESCE(sum(hashtext(t::text)::bigint), 0) FROM {} t"


def content(name):
    """Return the number of rows and a checksum of each table of a database."""
    with psycopg.connect(**connection.get_connection_params() | {"dbname": name}) as database:
        tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {table: database.execute(COUNT.format(table)).fetchone() for (table,) in tables}


@pytest.fixture
def restore(tmp_path):
    """Dump the database of the tests as a folder of this user's, and restore it under another name."""

    def run(program, *words, **streams):
        host = connection.settings_dict["OPTIONS"].get("host") or connection.settings_dict["HOST"]
        command = [postgres_programs() / program, f"--host={host}", "--username=postgres", *words]
        subprocess.run(command, check=True, cwd="/", **streams, **unprivileged())

    def restore():
        dump = tmp_path / "tikm.dump"
        with dump.open("wb") as file:
            run("pg_dump", "--format=custom", connection.settings_dict["NAME"], stdout=file)
        run("createdb", RESTORED)
        with dump.open("rb") as file:
            run("pg_restore", f"--dbname={RESTORED}", "--no-owner", stdin=file)
        return RESTORED

    yield restore
    run("dropdb", "--if-exists", RESTORED)


def test_restored_dump_equals_the_database(live_cast, restore):
    live_cast.reply(live_cast.bao, "Kept")
    before = content(connection.settings_dict["NAME"])
    assert before["tickets_reply"][0] == 1
    assert content(restore()) == before


@pytest.mark.parametrize("shift", [0, 10**9])
def test_pages_reload_once_after_a_restore_also_from_another_cluster(live_cast, shift):
    channel = [live_cast.ticket.channel]
    cursor = history.current_cursor()
    live_cast.reply(live_cast.bao, "Before")
    Delivery.objects.update(position=F("position") + shift)
    call_command("forget_history", verbosity=0)
    assert not Broadcast.objects.exists()
    page = history.read(live_cast.casey, channel, cursor)
    assert page.reset
    live_cast.reply(live_cast.bao, "After")
    page = history.read(live_cast.casey, channel, page.cursor)
    assert (page.reset, len(page.events) > 0) == (False, True)
