"""Jobs run once, in the transaction of what they change, and again after a failure, later and later."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.exceptions import TimeoutException

from accounts.models import Office
from jobs import registry, runner
from jobs.broker import DatabaseBroker
from jobs.models import Job, LeaseLost
from jobs.registry import DELAYS, task
from tests.support.jobs import claim, run_due_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_tasks(monkeypatch):
    monkeypatch.setattr(registry, "tasks", {})
    monkeypatch.setattr("jobs.models.tasks", registry.tasks)


def make_due():
    """Have the time pass until every job is due, also those whose worker was killed."""
    Job.objects.exclude(run_at=None).update(run_at=timezone.now())


def offices():
    return sorted(Office.objects.values_list("name", flat=True))


def open_office(job, *, name):
    Office.objects.create(name=name)


def test_job_runs_once_whatever_is_enqueued_again():
    opening = task()(open_office)
    for _ in range(3):
        opening.enqueue(key="berlin", name="Berlin")
    run_due_jobs()
    opening.enqueue(key="berlin", name="Berlin")
    opening.enqueue(key="paris", name="Paris")
    run_due_jobs()
    assert offices() == ["Berlin", "Paris"]
    assert {job.state for job in Job.objects.all()} == {"done"}


def test_rolled_back_change_enqueues_nothing():
    opening = task()(open_office)
    with transaction.atomic():
        opening.enqueue(key="1", name="Berlin")
        transaction.set_rollback(True)
    assert not Job.objects.exists()


def test_job_waits_until_it_is_due():
    opening = task()(open_office)
    opening.enqueue(key="1", run_at=timezone.now() + timedelta(hours=1), name="Berlin")
    run_due_jobs()
    assert offices() == []
    make_due()
    run_due_jobs()
    assert offices() == ["Berlin"]


def test_claimed_job_is_claimed_by_no_other_worker():
    task()(open_office).enqueue(key="1", name="Berlin")
    seen_by_both = list(Job.objects.due())
    assert len(claim()) == 1
    assert claim() == []
    assert not seen_by_both[0].lease()


def test_job_of_a_killed_worker_is_run_by_another_and_by_it_no_more():
    task()(open_office).enqueue(key="1", name="Berlin")
    [first] = claim()
    make_due()  # its lease ends
    [second] = claim()
    runner.run(*first)
    assert offices() == []
    runner.run(*second)
    runner.run(*second)
    assert offices() == ["Berlin"]


def test_lease_is_longer_than_the_job_may_run_from_when_it_starts():
    task(timeout=300)(open_office).enqueue(key="1", name="Berlin")
    claim()
    assert Job.objects.get().run_at > timezone.now() + timedelta(seconds=290)


def test_failed_attempt_leaves_nothing_and_is_made_again_later():
    def fail(job, **_):
        Office.objects.create(name="half done")
        raise ValueError("no such city")

    task(delays=DELAYS)(fail).enqueue(key="1")
    for attempt, delay in enumerate(DELAYS, 1):
        run_due_jobs()
        job = Job.objects.get()
        assert (job.state, job.attempts, job.error) == ("waiting", attempt, "ValueError: no such city")
        assert abs(job.run_at - timezone.now() - delay) < timedelta(seconds=60)
        make_due()
    run_due_jobs()
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "ValueError: no such city")
    assert job.finished_at
    assert offices() == []


def test_failed_job_can_be_retried_and_a_finished_one_cannot():
    task(delays=())(open_office).enqueue(key="1", nonsense=True)
    run_due_jobs()
    failed = Job.objects.get()
    assert failed.state == "failed"
    Job.objects.update(arguments={"name": "Berlin"})
    assert failed.retry()
    run_due_jobs()
    assert offices() == ["Berlin"]
    assert not failed.retry()
    done = Job.objects.get()
    assert done.state == "done"
    assert (done.error, done.attempts) == ("", 1)


def test_job_that_takes_too_long_counts_as_an_attempt():
    def hang(job):
        raise TimeoutException("Task exceeded maximum timeout value (60 seconds)")

    task()(hang).enqueue(key="1")
    run_due_jobs()
    assert Job.objects.get().error.startswith("TimeoutException: Task exceeded")


def test_job_that_kills_each_worker_fails_in_the_end():
    class Killed(BaseException):
        pass

    def kill(job):
        raise Killed

    task(atomic=False)(kill).enqueue(key="1")
    for _ in range(len(DELAYS) + 1):
        with pytest.raises(Killed):
            run_due_jobs()
        make_due()
    run_due_jobs()
    assert (Job.objects.get().state, Job.objects.get().error) == ("failed", runner.KILLED)


def test_job_of_another_release_fails_with_a_reason():
    Job.objects.create(task="tickets.unknown", key="1")
    run_due_jobs()
    assert Job.objects.get().error == runner.UNKNOWN_TASK


@pytest.mark.parametrize(
    ("step", "state", "effects"),
    [("before", "done", 1), ("during", "failed", 1), ("cancelled", "done", 1), ("after", "failed", 1)],
)
def test_effect_outside_happens_once_or_shows_as_failed(step, state, effects):
    class Killed(BaseException):
        pass

    happened = []

    def send(job):
        first = job.attempts == 1
        if first and step == "before":
            raise Killed
        job.begin_effect()
        if first and step == "cancelled":
            job.cancel_effect()
            raise ConnectionRefusedError
        happened.append(1)
        if first and step == "during":
            raise TimeoutError("no answer")
        if first and step == "after":
            raise Killed

    task(atomic=False)(send).enqueue(key="1")
    for _ in range(3):
        with suppress(Killed):
            run_due_jobs()
        make_due()
    job = Job.objects.get()
    assert (job.state, len(happened)) == (state, effects)
    assert (runner.INTERRUPTED in job.error) == (state == "failed")


def test_effect_outside_is_not_begun_without_the_lease():
    def send(job):
        make_due()
        job.begin_effect()
        pytest.fail("not reached")

    task(atomic=False)(send).enqueue(key="1")
    [first] = claim()
    runner.run(*first)
    assert Job.objects.get().state == "running"


def test_atomic_task_begins_no_effect_outside():
    def send(job):
        job.begin_effect()

    task(delays=())(send).enqueue(key="1")
    run_due_jobs()
    assert "not atomic" in Job.objects.get().error


def test_lease_lost_is_no_failure():
    def lose(job):
        raise LeaseLost

    task(atomic=False)(lose).enqueue(key="1")
    run_due_jobs()
    assert Job.objects.get().state == "running"


def test_unreachable_database_does_not_end_the_worker(monkeypatch):
    from django.db import OperationalError

    def fail(*_):
        raise OperationalError("connection refused")

    waits = []
    monkeypatch.setattr("jobs.broker.close_old_connections", lambda: None)
    monkeypatch.setattr("jobs.models.JobQuerySet.claim", fail)
    monkeypatch.setattr(DatabaseBroker, "wait", lambda self: waits.append(1))
    assert DatabaseBroker().dequeue() is None
    assert waits
