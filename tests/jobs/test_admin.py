"""Admins see the failed jobs, with the reason, and retry them; others see nothing."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from jobs import runner
from jobs.models import Job

pytestmark = pytest.mark.django_db
LIST = "/admin/jobs/job/"


@pytest.fixture
def jobs(cast):
    def create(state, error=""):
        ended = {"run_at": None, "finished_at": timezone.now()} if state in ("failed", "done") else {}
        return Job.objects.create(task="t", key=f"key of {state}", state=state, error=error, attempts=3, **ended)

    return {state: create(state, "550 no such mailbox" * (state == "failed")) for state in Job.State.values}


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def retry(client, *jobs):
    data = {"action": "retry_selected", "_selected_action": [job.pk for job in jobs]}
    return client.post(f"{LIST}?state=all", data, follow=True)


def test_list_shows_failed_jobs_with_their_reason_and_others_on_request(cast, jobs):
    client = signed_in(cast.ada)
    failed, everything = client.get(LIST), client.get(f"{LIST}?state=all")
    assert failed.context["cl"].result_count == 1
    assert "550 no such mailbox" in failed.text
    assert everything.context["cl"].result_count == 4
    assert "key of failed" in client.get(f"{LIST}{jobs['failed'].pk}/change/").text


def test_reason_is_in_the_language_of_the_reader(cast, jobs):
    Job.objects.filter(state="failed").update(error=f"{runner.INTERRUPTED} TimeoutError: no answer")
    cast.ada.language = "de"
    cast.ada.save()
    assert "schon geschehen" in (text := signed_in(cast.ada).get(LIST).text)
    assert "TimeoutError: no answer" in text


def test_failed_jobs_are_retried_and_others_are_left_alone(cast, jobs):
    before = Job.objects.exclude(state="failed").values_list("pk", "state", "run_at")
    expected = sorted(before)
    assert "1 job will be retried." in retry(signed_in(cast.ada), *jobs.values()).text
    jobs["failed"].refresh_from_db()
    assert (jobs["failed"].state, jobs["failed"].attempts) == ("waiting", 0)
    assert sorted(before.exclude(pk=jobs["failed"].pk)) == expected
    assert LogEntry.objects.get().user_id == cast.ada.pk
    assert "Only failed jobs can be retried." in retry(signed_in(cast.ada), *jobs.values()).text


@pytest.mark.parametrize("name", ["bao", "casey"])
def test_others_than_admins_see_and_retry_nothing(cast, jobs, name):
    client = signed_in(getattr(cast, name))
    for response in (
        client.get(LIST),
        client.get(f"{LIST}{jobs['failed'].pk}/change/"),
        retry(client, jobs["failed"]),
    ):
        assert "key of" not in response.text
    jobs["failed"].refresh_from_db()
    assert jobs["failed"].state == "failed"
