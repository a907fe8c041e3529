"""The previous release beside this one: its processes serve on the new schema, and nothing is lost.

PREVIOUS_RELEASE names a revision. Without it that is the latest tag, or else the code before the latest migrations.
"""

import os
import subprocess
from collections import Counter

import pytest

from realtime.conf import config
from tests.integration.servers.deploy.people import Page, Writer, all_arrive
from tests.integration.servers.serve import Serve
from tests.support.servers.instances import TOP, wait_until
from tests.support.sockets import session_cookie
from tickets import services

MIGRATIONS = 8  # commits with migrations that the previous release lacks, where there is no tag


def git(*words):
    return subprocess.run(["git", *words], cwd=TOP, check=True, capture_output=True, text=True).stdout.strip()


def previous_release():
    if named := os.environ.get("PREVIOUS_RELEASE") or git("tag", "--merged", "HEAD", "--sort=-creatordate"):
        return named.splitlines()[0]
    added = git("log", "--diff-filter=A", "--format=%H", f"-{MIGRATIONS}", "--", "*/migrations/0*.py").splitlines()
    return f"{added[-1]}^"


@pytest.fixture(scope="module")
def previous_code(tmp_path_factory):
    folder = tmp_path_factory.mktemp("previous") / "code"
    git("worktree", "add", "--detach", str(folder), previous_release())
    (folder / "node_modules").symlink_to(TOP / "node_modules")
    yield folder
    git("worktree", "remove", "--force", str(folder))


@pytest.fixture(scope="module")
def releases(environment, previous_code, tmp_path_factory):
    """A server of the previous release and one of this release, on one database."""
    settings = {"ALLOWED_HOSTS": "localhost,127.0.0.1", "EMAIL_URL": "dummymail://"}
    settings |= {"DJANGO_SETTINGS_MODULE": "tests.integration.servers.deploy.settings"}
    settings |= {"REALTIME_APP_SECRET": config().app_secrets[0], "FILES_DIR": str(tmp_path_factory.mktemp("files"))}
    previous, present = (Serve(tmp_path_factory.mktemp(name), env=environment | settings) for name in ("old", "new"))
    previous.spawning["cwd"] = previous_code
    with previous, present:
        yield previous, present


def test_processes_of_both_releases_serve_on_the_new_schema(live_cast, releases, previous_code):
    assert len(list(previous_code.glob("*/migrations/0*.py"))) < len(list(TOP.glob("*/migrations/0*.py")))
    ticket = live_cast.ticket
    sessions = [session_cookie(user) for user in (live_cast.casey, live_cast.bao)]
    readers = [Page(server.url, session, ticket.channel) for server in releases for session in sessions]
    writers = [Writer(server.url, sessions[1], ticket) for server in releases]
    for each in (*readers, *writers):
        each.start()
    for writer in writers:
        all_arrive(writer, readers, after="the start", more=10)
    services.update_ticket(ticket, by=live_cast.bao, values={"status": live_cast.status("Closed")})
    for number, server in enumerate(releases):
        reader = readers[2 * number]
        for path in ("/", "/tickets/", f"/tickets/{ticket.uuid}/", "/tickets/new/", "/profile/"):
            assert reader.request(path).status == 200, (server.url, path)
    for each in writers:
        each.stop()
    written = [text for each in writers for text in each.accepted]
    missing = "A page misses messages."
    wait_until(lambda: all(len(each.received) >= len(written) for each in readers), timeout=120, message=missing)
    for each in readers:
        each.stop()
        assert Counter(each.received.values()) == Counter(written)
    stored = ticket.replies.filter(message__startswith="message ").values_list("message", flat=True)
    assert Counter(stored) == Counter(written)
