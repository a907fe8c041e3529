import os
import signal

from accounts.models import Office
from jobs import task


def die(job, when, now):
    if when == now and job.attempts == 1:
        os.kill(os.getpid(), signal.SIGKILL)


@task()
def in_transaction(job, *, when):
    die(job, when, "before")
    Office.objects.create(name=job.key)
    die(job, when, "after")


@task(atomic=False)
def idempotent(job, *, when):
    die(job, when, "before")
    Office.objects.get_or_create(name=job.key)
    die(job, when, "after")


@task(atomic=False)
def outside(job, *, when):
    die(job, when, "before")
    job.begin_effect()
    Office.objects.create(name=job.key)
    die(job, when, "after")
