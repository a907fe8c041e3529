"""Send a mail from a job: once, or the job shows as failed."""

import smtplib
from contextlib import suppress
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from jobs.mail_backends import SMTPBackend
from jobs.models import Job
from jobs.runner import PermanentFailure

REFUSALS = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)


def deliver(job: Job, message: EmailMessage) -> None:
    """Send `message` for a job, whose Message-ID is the same at each attempt.

    An error before the mail server has the text is an attempt that failed. When it has the text, and its answer does
    not arrive, the mail may be on its way: the job has failed, and is not repeated. An answer of 5xx is final.
    """
    domain = parseaddr(str(settings.DEFAULT_FROM_EMAIL))[1].rpartition("@")[2]
    message.extra_headers.setdefault("Message-ID", f"<job.{job.pk}.{job.created_at:%Y%m%d%H%M%S%f}@{domain}>")
    backend = get_connection()
    if isinstance(backend, SMTPBackend):
        backend.before_data = job.begin_effect
    try:
        backend.open()
        if not isinstance(backend, SMTPBackend):
            job.begin_effect()
        backend.send_messages([message])
    except REFUSALS as error:
        job.cancel_effect()
        if is_permanent(error):
            raise PermanentFailure(_answer(error)) from error
        raise
    finally:
        with suppress(Exception):  # what a server answers to QUIT does not matter
            backend.close()


def is_permanent(error: Exception) -> bool:
    """Return whether the mail server will not accept this mail later either (RFC 5321, section 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    is_about_mail = isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError)
    return is_about_mail and 500 <= error.smtp_code < 600  # type: ignore[attr-defined]


def _answer(error: Exception) -> str:
    """Return the server's answer in one line."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = [f"{to}: {code} {text.decode(errors='replace')}" for to, (code, text) in error.recipients.items()]
        return ", ".join(answers)
    code, text = error.args[:2]
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
