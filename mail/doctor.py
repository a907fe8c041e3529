"""What `realtime_doctor` tests of received mail: whether IMAP servers let us in, and the worker polls them."""

import imaplib
from datetime import timedelta
from typing import Final

from django.utils import timezone
from imap_tools import ImapToolsError

from mail.inbound import imap
from mail.models import Mailbox
from realtime.doctor.problem import Problem, Untested
from realtime.doctor.steps import Step

LATE: Final = timedelta(seconds=3 * imap.IDLE_SECONDS)
FORM: Final = "in the form of the mailbox in the admin (Mail, Mailboxes)"


def check_mail_in() -> str:
    """Sign in to each active mailbox and open its inbox; no message is read or marked."""
    mailboxes = Mailbox.objects.filter(is_active=True).exclude(imap_host="")
    if not mailboxes:
        raise Untested("no mailbox is fetched by IMAP")
    for mailbox in mailboxes:
        _sign_in(mailbox)
    for mailbox in mailboxes:
        _check_poller(mailbox)
    return f"{len(mailboxes)} mailbox{'es' if len(mailboxes) > 1 else ''} open, and checked lately by the worker"


def _sign_in(mailbox: Mailbox) -> None:
    server = f"{mailbox.imap_host}:{mailbox.imap_port}"
    if not mailbox.imap_password:
        raise Problem(f"The password of {mailbox} cannot be read.", f"Set it again {FORM}: SECRET_KEY has changed.")
    try:
        with imap.connected(mailbox):
            pass
    except (ImapToolsError, imaplib.IMAP4.error) as error:
        raise Problem(
            f"The IMAP server {server} refuses {mailbox}: {error}", f"Set user and password {FORM}."
        ) from None
    except OSError as error:
        raise Problem(
            f"The IMAP server {server} of {mailbox} does not answer: {error}.",
            f"Open the port in the firewall, or set server, port and encryption {FORM}.",
        ) from None


def _check_poller(mailbox: Mailbox) -> None:
    """Raise Problem if the worker has not looked into the mailbox for three of its rounds."""
    checked = mailbox.imap_checked_at
    if checked is None or checked < timezone.now() - LATE:
        since = f"since {checked:%Y-%m-%d %H:%M:%S} UTC" if checked else "yet"
        error = f": {mailbox.imap_error}" if mailbox.imap_error else ""
        raise Problem(
            f"The worker has not checked {mailbox} {since}{error}.",
            "Start `manage.py worker`, or restart it if the step `worker` is fine.",
        )


steps = [Step("mail in", check_mail_in)]
