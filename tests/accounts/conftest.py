"""Fixtures of accounts."""

import pytest

from accounts.tasks import send_account_mail
from jobs.registry import Task
from tests.support.jobs import run_due_jobs


@pytest.fixture(autouse=True)
def _mails_are_sent_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the jobs of a request within it, except in the tests of the mails themselves."""
    if "no_worker" in request.fixturenames:
        return
    enqueue = Task.enqueue

    def enqueue_and_run(task: Task, **arguments: object) -> None:
        enqueue(task, **arguments)
        if task is send_account_mail:
            run_due_jobs()

    monkeypatch.setattr(Task, "enqueue", enqueue_and_run)


@pytest.fixture
def no_worker() -> None:
    """Have no worker run."""
