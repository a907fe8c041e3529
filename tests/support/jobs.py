"""Run the jobs that are due, as a worker does, in the test's own process."""

from django_q.signing import SignedPackage

from jobs import runner
from jobs.broker import DatabaseBroker
from jobs.models import Job


def claim():
    """Claim the due jobs; return the arguments with which a worker process runs each."""
    packed = DatabaseBroker().dequeue() if Job.objects.due().exists() else None
    return [SignedPackage.loads(package)["args"] for _, package in packed or []]


def run_due_jobs():
    """Run jobs until none is due."""
    while claimed := claim():
        for arguments in claimed:
            runner.run(*arguments)
