"""What `realtime_doctor` tests of the jobs: whether a worker runs them, and whether the mail server accepts us."""

import smtplib
import time
import uuid
from typing import Any, Final

from django.conf import settings
from django.core.mail import get_connection

from jobs.models import Job
from jobs.tasks import probe
from realtime.doctor.problem import Problem, Untested
from realtime.doctor.steps import Step

WORKER_SECONDS: Final = 8.0
POLL_INTERVAL: Final = 0.1  # seconds
OK: Final = 250  # RFC 5321, section 4.2.3
SMTP: Final = "jobs.mail_backends.SMTPBackend"
EXAMPLE: Final = "smtp+tls://user:password@mail.example.com:587"


def check_worker() -> str:
    """Have a worker do a job that does nothing."""
    key, started_at = uuid.uuid4().hex, time.monotonic()
    probe.enqueue(key=key)
    job = Job.objects.filter(task=probe.name, key=key)
    try:
        while time.monotonic() < started_at + WORKER_SECONDS:
            if job.filter(state=Job.State.DONE).exists():
                return f"a job takes {time.monotonic() - started_at:.1f} s"
            time.sleep(POLL_INTERVAL)
        waiting = Job.objects.due().exclude(task=probe.name).count()
    finally:
        job.delete()
    raise Problem(
        f"No worker has done a job within {WORKER_SECONDS:.0f} s; {waiting} other jobs are due.",
        "Start `manage.py worker` (or `serve --with-worker`) with the same DATABASE_URL.",
    )


def check_mail() -> str:
    """Connect to the mail server as the worker does, and sign in; no mail is sent."""
    if settings.EMAIL_BACKEND != SMTP:
        raise Untested(f"mails go to {settings.EMAIL_BACKEND.rpartition('.')[2]}, not to a mail server")
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    backend: Any = get_connection()
    try:
        backend.open()
        code, answer = backend.connection.noop()
    except smtplib.SMTPAuthenticationError as error:
        raise Problem(
            f"The mail server {server} refuses user or password: {_text(error)}",
            f"Set them in EMAIL_URL, as in {EXAMPLE}.",
        ) from None
    except smtplib.SMTPException as error:
        raise Problem(
            f"The mail server {server} refuses this machine: {_text(error)}",
            "Have it accept this machine, or set EMAIL_URL to another server and its kind of TLS "
            f"(smtp+tls://...:587, smtp+ssl://...:465), as in {EXAMPLE}.",
        ) from None
    except OSError as error:
        raise Problem(
            f"The mail server {server} does not answer: {error}.",
            f"Open the port in the firewall, or set EMAIL_URL to the server, as in {EXAMPLE}.",
        ) from None
    finally:
        backend.close()
    if code != OK:
        raise Problem(
            f"The mail server {server} answers {code}: {answer.decode(errors='replace')}", "Ask its operator."
        )
    return f"the mail server {server} accepts this machine"


def _text(error: smtplib.SMTPException) -> str:
    text = getattr(error, "smtp_error", b"") or str(error) or type(error).__name__
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


steps = [Step("worker", check_worker), Step("mail out", check_mail)]
