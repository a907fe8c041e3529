"""/metrics: who may read it, what it counts, and that dashboard and alerts name metrics that exist."""

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import Job
from mail.models import Mailbox, OutgoingMail, ReceivedMessage
from realtime import metrics
from tests.support.servers.instances import TOP
from tikm.http.metrics import collectors

TOKEN = "a-token-of-more-than-16-characters"
NAME = re.compile(r"\b(?:realtime|tikm)_[a-z_]+\b")
MONITORING = TOP / "deploy/monitoring"


@pytest.fixture
def read(client, db):
    """Read the metrics as a client with these headers does."""

    def read(**headers):
        return client.get("/metrics", **headers)

    return read


def test_metrics_are_read_from_this_machine_whatever_the_host(read):
    response = read(HTTP_HOST="10.42.8.201:8080")
    assert response.status_code == 200
    assert b"realtime_connections" in response.content


@pytest.mark.parametrize(
    "headers",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.1"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Bearer "},
        {"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}x"},
    ],
)
def test_other_clients_get_the_page_that_does_not_exist(read, settings, headers):
    settings.METRICS_TOKEN = TOKEN
    assert read(**headers).status_code == 404


def test_token_opens_the_metrics_from_elsewhere(read, settings):
    settings.METRICS_TOKEN = TOKEN
    assert read(REMOTE_ADDR="192.0.2.1", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status_code == 200


def test_without_a_token_an_empty_one_opens_nothing(read, settings):
    settings.METRICS_TOKEN = ""
    assert read(REMOTE_ADDR="192.0.2.1", HTTP_AUTHORIZATION="Bearer ").status_code == 404


def test_jobs_are_counted(read):
    now = timezone.now()
    Job.objects.create(task="t", key="1", run_at=now - timedelta(seconds=90))
    Job.objects.create(task="t", key="2", run_at=now + timedelta(hours=1))
    Job.objects.create(task="t", key="3", state=Job.State.FAILED, run_at=None)
    text = read().content.decode()
    assert 'tikm_jobs{state="waiting"} 2.0' in text
    assert 'tikm_jobs{state="failed"} 1.0' in text
    assert 90 <= float(re.search(r"^tikm_oldest_due_job_seconds (.*)$", text, re.MULTILINE)[1]) < 600


def test_mail_that_waits_or_failed_is_counted(read, cast):
    made = {
        "queued": [None],
        "failed": [timedelta(hours=1), timedelta(hours=30)],
        "sent": [timedelta(hours=1)],
    }
    for state, ages in made.items():
        for age in ages:
            OutgoingMail.objects.create(
                key=f"{state} {age}", event="reply", recipient=cast.casey, ticket=cast.ticket, state=state,
                ended_at=age and timezone.now() - age,
            )  # fmt: skip
    mailbox = Mailbox.objects.create(
        address="in@example.com", office=cast.billing, imap_host="imap.example.com",
        imap_checked_at=timezone.now() - timedelta(seconds=90),
    )  # fmt: skip
    for state in ("held", "processed"):
        ReceivedMessage.objects.create(mailbox=mailbox, size=1, fingerprint=state, state=state)
    text = read().content.decode()
    for line in ('mails{state="queued"} 1.0', 'mails{state="failed"} 1.0', 'mails{state="bounced"} 0.0'):
        assert f"tikm_{line}" in text
    for line in ('{state="held"} 1.0', '{state="received"} 0.0', '{state="failed"} 0.0'):
        assert f"tikm_received_messages{line}" in text
    assert not re.search(r'state="(sent|processed)"', text)
    assert 90 <= float(re.search(r"^tikm_mailbox_check_age_seconds (.*)$", text, re.MULTILINE)[1]) < 600


def test_dashboard_and_alerts_name_metrics_that_exist(read):
    known = set(re.findall(r"^# TYPE (\S+)", read().content.decode(), re.MULTILINE))
    known |= {f"{name}_bucket" for name in known}
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = (MONITORING / "alerts.yml").read_text()
    expressions += re.findall(r"expr: (.*?)\n\s+(?:for|annotations):", rules, re.DOTALL)
    named = {name for text in expressions for name in NAME.findall(text)}
    assert len(named) > 10
    assert named <= known


def test_every_metric_is_on_the_dashboard():
    text = (MONITORING / "grafana-dashboard.json").read_text()
    assert [name for name in _names() if name not in text] == []


def _names():
    described = [family for collector in (*metrics.collectors(), *collectors()) for family in collector.describe()]
    return [f"{each.name}_total" if each.type == "counter" else each.name for each in described]
