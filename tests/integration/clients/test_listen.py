"""`manage.py listen` with a running server: it receives what the user receives, and reconnects."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.servers import instances
from tests.support.servers.http_client import HttpClient
from tests.support.servers.terminal import Terminal

RECONNECTS_WITHIN = 60  # seconds


@pytest.fixture
def listen(desk):
    """Start `listen` as a user of the cast."""
    started = []

    def listen(server, channel, name, *options):
        who = ["--as", f"{name}@example.com", "--url", server.url]
        started.append(Terminal(desk.database_url, "listen", channel, *who, *options))
        return started[-1]

    yield listen
    for terminal in started:
        terminal.end()


def bao_replies(desk, server, message, **fields):
    HttpClient(server.url, desk.sessions["bao"]).reply(desk.ticket, message, **fields)


def deactivate(desk, name):
    """Deactivate an account in a process of its own, as another command does."""
    settings = {"DATABASE_URL": desk.database_url, "REDIS_URL": "", "DJANGO_SETTINGS_MODULE": "tests.settings"}
    change = f"user = User.objects.get(email='{name}@example.com'); user.is_active = False; user.save()"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]
    code = f"from accounts.models import User; {change}"
    subprocess.run([*command, code], cwd=instances.TOP, env={**os.environ, **settings}, check=True)


def test_terminal_receives_what_the_page_receives(desk, listen, uvicorn):
    channel = f"private-{desk.channel}"
    staff, customer = listen(uvicorn, channel, "bao", "--json"), listen(uvicorn, channel, "casey")
    for terminal in (staff, customer):
        terminal.reads("Subscribed.")
    bao_replies(desk, uvicorn, "A note", internal="on")
    bao_replies(desk, uvicorn, "An \x1b[31mansw\x9ber")
    note = json.loads(staff.reads("A note"))
    assert (note["event"], note["channel"]) == ("ticket.reply.created", channel)
    assert note["data"]["reply"]["is_internal"]
    assert customer.reads("ticket.reply.created").endswith(f"  ticket.reply.created  {channel}")
    assert customer.reads('"message":').strip() == r'"message": "An \u001b[31mansw\u009ber",'
    assert "A note" not in "\n".join(customer.lines)
    assert staff.ctrl_c() == customer.ctrl_c() == 0


def test_terminal_resubscribes_after_crash_and_restart(desk, listen):
    with desk.serve("uvicorn") as server:
        terminal = listen(server, f"private-{desk.channel}", "casey")
        terminal.reads("Subscribed.")
        server.kill()
        terminal.reads("(1006)")
        server.start()
        terminal.reads("Subscribed.", within=RECONNECTS_WITHIN)
        bao_replies(desk, server, "Here I am again")
        terminal.reads("Here I am again")


def test_deactivated_user_is_disconnected_with_reason(desk, listen, uvicorn):
    # Emil of Orders is in no other test of this desk, which stays as it is left.
    terminal = listen(uvicorn, "private-office.2", "emil")
    terminal.reads("Subscribed.")
    deactivate(desk, "emil")
    assert "(4009): The session has ended." in terminal.reads("CommandError")
    assert terminal.exit_status() == 1
