"""Daily commands run once a day, whatever worker is there, spread by installation."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.conf import settings as project
from django.core.management import call_command, get_commands
from django.db import OperationalError
from django.utils import timezone

from jobs.models import Job
from jobs.schedules import Planner, time_of_day
from realtime.models import ExpiringValue
from tests.support.jobs import run_due_jobs
from tickets.models import IdempotencyKey

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 11, 29, tzinfo=UTC)


def at(moment):
    return patch("django.utils.timezone.now", lambda: moment)


def planned():
    return sorted(Job.objects.values_list("key", flat=True))


def test_each_command_runs_once_a_day_at_its_time(settings):
    settings.JOBS_DAILY = ["clearsessions"]
    due = DAY + time_of_day("clearsessions")
    for moment in (due, due, due + timedelta(hours=23), due + timedelta(days=1), due + timedelta(days=4)):
        with at(moment):
            Planner().plan()  # of another worker each time
            run_due_jobs()
    assert planned() == ["clearsessions 2026-11-29", "clearsessions 2026-11-30", "clearsessions 2026-12-03"]
    assert {job.state for job in Job.objects.all()} == {"done"}


def test_command_is_not_due_before_its_time(settings):
    settings.JOBS_DAILY = ["clearsessions"]
    planner, due = Planner(), DAY + time_of_day("clearsessions")
    for moment in (due - timedelta(seconds=1), due):
        with at(moment):
            planner.plan()
    assert planned() == ["clearsessions 2026-11-28", "clearsessions 2026-11-29"]


def test_planner_asks_the_database_once_a_day(django_assert_num_queries):
    planner = Planner()
    with at(DAY + timedelta(hours=12)):
        planner.plan()
        with django_assert_num_queries(0):
            planner.plan()


def test_times_differ_between_commands_and_installations(settings):
    ours = {time_of_day(command) for command in settings.JOBS_DAILY}
    settings.REDIS_PREFIX = "tikm-another"
    theirs = {time_of_day(command) for command in settings.JOBS_DAILY}
    assert len(ours | theirs) == 2 * len(settings.JOBS_DAILY)


def test_planner_survives_a_database_that_is_down(monkeypatch):
    def fail(*_, **__):
        raise OperationalError("connection refused")

    planner = Planner()
    with monkeypatch.context() as broken:
        broken.setattr("jobs.registry.Task.enqueue", fail)
        planner.plan()
    planner.plan()
    assert len(planned()) == len(project.JOBS_DAILY)


def test_every_command_that_prunes_is_run_daily():
    ours = {name for name, app in get_commands().items() if name.startswith("prune_")}
    assert ours == set(project.JOBS_DAILY) - {"clearsessions", "settle_closed_tickets"}


def test_all_daily_commands_run(settings):
    Planner().plan()
    run_due_jobs()
    assert {(job.state, job.error) for job in Job.objects.all()} == {("done", "")}


def test_finished_jobs_are_deleted_after_a_while_and_pending_ones_never(capsys):
    for state, days in [("done", 6), ("done", 8), ("failed", 8), ("failed", 31)]:
        finished_at = timezone.now() - timedelta(days=days)
        Job.objects.create(task="t", key=f"{state} {days}", state=state, run_at=None, finished_at=finished_at)
    Job.objects.create(task="t", key="waiting", run_at=timezone.now() - timedelta(days=100))
    call_command("prune_jobs")
    assert capsys.readouterr().out == "2 jobs deleted.\n"
    assert planned() == ["done 6", "failed 8", "waiting"]


def test_old_idempotency_keys_and_expired_values_are_deleted(cast):
    now = timezone.now()
    for days in (0, 60):
        key = IdempotencyKey.objects.create(user=cast.casey, key=f"{days}", fingerprint="f")
        IdempotencyKey.objects.filter(pk=key.pk).update(created_at=now - timedelta(days=days))
    for minutes in (-1, 60):
        ExpiringValue.objects.create(key=f"{minutes}", expires_at=now + timedelta(minutes=minutes))
    call_command("prune_idempotency_keys", verbosity=0)
    call_command("prune_broadcasts", verbosity=0)
    assert [key.key for key in IdempotencyKey.objects.all()] == ["0"]
    assert [value.key for value in ExpiringValue.objects.all()] == ["60"]
