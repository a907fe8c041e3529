"""Run the jobs that are due, as a worker does, in the test's own process."""

from django.utils import timezone
from django_q.signing import SignedPackage

from jobs import runner
from jobs.broker import pack
from jobs.models import Job


def claim():
    """Claim the due jobs; return the arguments with which a worker process runs each."""
    return [SignedPackage.loads(pack(job))["args"] for job in Job.objects.all().claim(10)]


def run_due_jobs():
    """Run jobs until none is due."""
    while claimed := claim():
        for arguments in claimed:
            runner.run(*arguments)


def run_all_jobs():
    """Run all jobs as if the time for which they wait had passed."""
    Job.objects.exclude(run_at=None).update(run_at=timezone.now())
    run_due_jobs()
