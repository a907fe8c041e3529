"""`manage.py worker` as an operator runs it: killed at any point it loses no job and does none twice."""

import os
import signal
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Office
from jobs.models import Job
from jobs.registry import Task
from jobs.runner import UNKNOWN_TASK
from tests.integration.servers.serve import Serve
from tests.integration.servers.worker import Worker
from tests.support.servers.instances import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = "tests.integration.servers.processes.killed_jobs"
TIMEOUT = 60.0  # seconds, on a busy machine
PROCESSES = 5  # beside the first one


def children(pid):
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants(pid):
    return [each for child in children(pid) for each in (child, *descendants(child))]


def is_alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def enqueue(name, key, **arguments):
    Task(f"{TASKS}.{name}", print, True, 60, ()).enqueue(key=key, **arguments)


def end_leases():
    """Have the time pass after which a killed worker's jobs are another's."""
    Job.objects.filter(state=Job.State.RUNNING).update(run_at=timezone.now())


def pending():
    return Job.objects.filter(task__startswith=TASKS).exclude(run_at=None)


def run_all(worker):
    """Wait until no job is pending; whenever a process has died, the leases of its jobs end."""
    deaths = [0]

    def is_finished():
        if deaths[0] != (now := worker.log.read_text().count("restarting all")):
            deaths[0] = now
            end_leases()
        return not pending().exists()

    wait_until(is_finished, timeout=TIMEOUT, message="Jobs are pending.")


def wait_for_processes(pid):
    """Return the processes of a worker, or of a shell with one, once all of them run."""
    wait_until(lambda: len(descendants(pid)) >= PROCESSES, timeout=TIMEOUT, message="There are no processes.")
    return descendants(pid)


def wait_for_end(processes):
    wait_until(lambda: not any(map(is_alive, processes)), timeout=TIMEOUT, message="Processes remain.")


@pytest.fixture
def worker(environment, tmp_path):
    with Worker(tmp_path, environment) as running:
        yield running


def test_worker_killed_at_any_point_loses_no_job_and_does_none_twice(worker):
    for name in ("in_transaction", "idempotent", "outside"):
        for when in ("before", "after", "never"):
            enqueue(name, f"{name} {when}", when=when)
    run_all(worker)
    states = {job.key: job.state for job in Job.objects.all()}
    # It is known to have begun, and not whether it has happened: an admin decides.
    assert states.pop("outside after") == "failed"
    assert set(states.values()) == {"done"}
    assert sorted(Office.objects.values_list("name", flat=True)) == sorted([*states, "outside after"])
    assert "restarting all" in worker.log.read_text()


def test_every_process_killed_at_once_loses_no_job(environment, tmp_path):
    for number in range(20):
        enqueue("in_transaction", f"office {number}", when="never")
    with Worker(tmp_path, environment, broker="redis") as worker:
        wait_until(lambda: pending().count() < 20, timeout=TIMEOUT, message="Nothing ran.")
        processes = descendants(worker.process.pid)
        worker.kill()
        wait_for_end(processes)
    end_leases()
    with Worker(tmp_path, environment, broker="redis") as worker:
        run_all(worker)
    assert {job.state for job in Job.objects.all()} == {"done"}
    assert Office.objects.count() == 20


def test_worker_works_on_after_an_idle_process_was_killed_and_ends_at_sigterm(worker):
    before = wait_for_processes(worker.process.pid)
    os.kill(before[1], signal.SIGKILL)
    wait_for_end(before)
    enqueue("in_transaction", "one", when="never")
    wait_until(lambda: not pending().exists(), timeout=TIMEOUT, message="The job waits.")
    processes = descendants(worker.process.pid)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(TIMEOUT) == 0
    assert [pid for pid in processes if is_alive(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="prctl")
def test_processes_end_when_the_worker_is_killed(worker):
    processes = wait_for_processes(worker.process.pid)
    worker.process.kill()
    worker.process.wait(TIMEOUT)
    wait_for_end(processes)


def test_worker_ends_with_its_parent(environment, tmp_path):
    with Worker(tmp_path, environment, has_parent=True) as shell:
        processes = wait_for_processes(shell.process.pid)
        shell.process.kill()
        shell.process.wait(TIMEOUT)
        wait_for_end(processes)


def test_server_with_worker_runs_jobs_restarts_the_worker_and_ends_with_it(environment, tmp_path):
    with Serve(tmp_path, env=environment, options=["--with-worker"]) as server:
        server.process.send_signal(signal.SIGHUP)  # also the worker gets the new code
        enqueue("in_transaction", "one", when="never")  # which the product does not know
        wait_until(lambda: not pending().exists(), timeout=TIMEOUT, message="The job waits.")
        processes = descendants(server.process.pid)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(TIMEOUT)
        assert [pid for pid in processes if is_alive(pid)] == []
    assert Job.objects.get(task__startswith=TASKS).error == UNKNOWN_TASK
