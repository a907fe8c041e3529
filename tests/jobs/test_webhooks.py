"""Jobs deliver webhooks: one per receiver waits, a failure is retried, and what was given up shows in the admin."""

from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.db.models import F
from django.test import TestCase
from django.utils import timezone

from jobs.models import Job
from jobs.schedules import Planner
from jobs.tasks import WEBHOOK_DELAYS, WEBHOOK_TIMEOUT
from realtime.models import WebhookEvent, WebhookReceiver
from realtime.webhooks import delivery, outbox, safe_http
from tests.support.jobs import claim, run_due_jobs

pytestmark = pytest.mark.django_db
ADDED = {"name": "member_added", "channel": "presence-room", "user_id": "7"}


@pytest.fixture
def posts(settings, monkeypatch):
    """The bodies that were sent; `posts.status` is what the receiver answers."""

    class Posts(list):
        status = 200

    async def post(_url, body, _headers, **_):
        found.append(body)
        return found.status

    found = Posts()
    monkeypatch.setattr(safe_http, "post", post)
    settings.REALTIME = {**settings.REALTIME, "WEBHOOKS": ["https://a.example/hook"]}
    return found


def enqueue():
    with TestCase.captureOnCommitCallbacks(execute=True):
        outbox.enqueue([ADDED])


def seconds_pass(seconds):
    ago = timedelta(seconds=seconds)
    WebhookEvent.objects.update(created_at=F("created_at") - ago)
    WebhookReceiver.objects.update(due_at=F("due_at") - ago)
    Job.objects.exclude(run_at=None).update(run_at=F("run_at") - ago)


def test_a_job_sends_the_events_of_a_second_and_leaves_no_row(posts):
    for _ in range(3):
        enqueue()
    assert Job.objects.count() == 1
    run_due_jobs()
    assert [body.count(b"member_added") for body in posts] == [3]
    assert not Job.objects.exists()


def test_event_during_a_delivery_is_sent_after_it(posts):
    enqueue()
    claim()
    enqueue()
    assert Job.objects.count() == 2


def test_failed_delivery_is_retried_and_given_up_where_admins_can_retry_it(posts, cast, client):
    posts.status = 503
    enqueue()
    run_due_jobs()
    job = Job.objects.get()
    assert (job.state, job.attempts, job.error) == ("waiting", 1, "DeliveryFailed: a.example: HTTP 503")
    enqueue()
    assert Job.objects.count() == 1
    seconds_pass(301)
    run_due_jobs()
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "a.example: HTTP 503; not delivered: 2 events")
    posts.status = 200
    client.force_login(cast.ada)
    client.post("/admin/jobs/job/?state=all", {"action": "retry_selected", "_selected_action": [job.pk]})
    seconds_pass(2)
    run_due_jobs()
    assert len(posts) == 3
    assert not WebhookEvent.objects.exists()
    assert not Job.objects.exists()


def test_planner_enqueues_a_delivery_that_was_lost_after_the_commit(posts, settings):
    settings.JOBS_DAILY = []
    enqueue()
    Job.objects.all().delete()
    Planner().plan()
    assert not Job.objects.exists()
    seconds_pass(61)
    Planner().plan()
    run_due_jobs()
    assert len(posts) == 1


def test_attempts_outlast_the_age_at_which_events_are_given_up():
    assert WEBHOOK_DELAYS == delivery.RETRY_DELAYS
    assert sum(WEBHOOK_DELAYS, timedelta(0)) > delivery.MAX_AGE
    assert timedelta(seconds=WEBHOOK_TIMEOUT) <= delivery.LEASE


def test_job_that_is_due_for_two_minutes_is_reported(cast, client):
    def reports():
        client.force_login(cast.ada)
        found = [bool(run_checks(databases=["default"]))]
        return found + ["have not run" in client.get(path).text for path in ("/admin/", "/admin/jobs/job/")]

    job = Job.objects.create(task="t", key="k", run_at=timezone.now() - timedelta(seconds=110))
    assert reports() == [False] * 3
    Job.objects.filter(pk=job.pk).update(run_at=timezone.now() - timedelta(seconds=130))
    assert reports() == [True] * 3
    assert run_checks() == []
    client.force_login(cast.bao)
    assert "have not run" not in client.get("/admin/").text
