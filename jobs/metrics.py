"""Metrics of background jobs, counted when Prometheus asks."""

from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from jobs.models import Job


class JobCollector(Collector):
    """Counts the jobs that wait or have failed."""

    def describe(self) -> list[GaugeMetricFamily]:
        """Return the metrics without values."""
        return [
            GaugeMetricFamily("tikm_jobs", "Background jobs: `waiting`, `failed`.", labels=["state"]),
            GaugeMetricFamily("tikm_oldest_due_job_seconds", "How late the oldest due job is."),
        ]

    def collect(self) -> list[GaugeMetricFamily]:
        """Return the jobs by state, and how late the oldest one is; nothing without the database."""
        try:
            waiting, failed, late = Job.objects.backlog()
        except DatabaseError:
            return []
        jobs, oldest = self.describe()
        jobs.add_metric(["waiting"], waiting)
        jobs.add_metric(["failed"], failed)
        oldest.add_metric([], late)
        return [jobs, oldest]
