"""Run the jobs that are due, as a worker does, in the test's own process."""

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
