"""`manage.py worker` as an operator runs it."""

import sys

from tests.support.servers import instances

SETTINGS = "tests.integration.servers.processes.killed_jobs_settings"


class Worker(instances.Instance):
    """The command, with the tasks that kill it; started by a process of its own if `has_parent`."""

    def __init__(self, directory, environment, *, broker="orm", has_parent=False):
        command = [sys.executable, "manage.py", "worker"]
        if has_parent:
            command = ["sh", "-c", '"$@" --stop-with $$ & wait', "sh", *command]
        env = instances.environment({**environment, "JOBS_BROKER": broker, "DJANGO_SETTINGS_MODULE": SETTINGS})
        super().__init__(command, directory, env=env)
        self.spawning["cwd"] = instances.TOP

    def answers(self):
        return True
