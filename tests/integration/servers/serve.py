"""`manage.py serve` as an operator runs it: its processes, and who asks it for a page all the while."""

import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.support import instances

SETTINGS = {
    "DEBUG": "false",
    "REALTIME_APP_SECRET": "for-this-test-alone",
    "DJANGO_SETTINGS_MODULE": "tests.integration.servers.uncollected",
}


class Serve(instances.Server):
    """The production server on one port; with a `listener`, on that socket, which others hold open too."""

    words = "manage.py serve --port {port}"
    starts_within = 90  # seconds: its processes load the project at the same time

    def __init__(self, directory, *, env, listener=None, workers=1, drain=1):
        port = instances.free_port() if listener is None else listener.getsockname()[1]
        super().__init__(directory, port=port, env=instances._environment(env | SETTINGS))
        self.command += ["--workers", str(workers), "--drain", str(drain)]
        if listener is not None:
            self.command += ["--fd", str(listener.fileno())]
            self.spawning["pass_fds"] = [listener.fileno()]

    def answers(self):
        return "Serving on" in self.log.read_text() and super().answers()

    def processes(self):
        """Return the ids of the processes of its own, by what they serve."""
        found = {"sockets": [], "pages": []}
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            words = _words(pid)
            if "realtime.serving" in words:
                found[words[3]].append(int(pid))
        return found

    def are_others_than(self, before):
        """Say whether all of the processes are there and serve, and none of those of before."""
        now = self.processes()
        is_whole = all(len(now[kind]) == len(before[kind]) for kind in before)
        return is_whole and not _ids(now) & _ids(before) and self.answers()


def _words(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return []


def _ids(processes):
    return {pid for pids in processes.values() for pid in pids}


@contextmanager
def asked_all_the_while(server, path="/healthz", *, cookies="", pause=0):
    """Ask for a page again and again while the block runs; none may go unanswered."""
    answers, is_over = [], threading.Event()

    def ask():
        while not is_over.wait(pause):
            connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
            connection.request("GET", path, headers={"Cookie": cookies})
            answers.append(connection.getresponse().status)
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        thread.join()
    assert set(answers) == {200}
