"""The mails of the leak hunt: owed by one step and sent by a later one, at once or in a summary."""

from datetime import timedelta

from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.message import EmailAttachment
from django.utils import timezone

from accounts.models import User
from jobs.models import Job
from mail.models import MailPreference, preferences
from tests.support.jobs import run_due_jobs
from tests.tickets.leaks.site import PEOPLE, Site, pick
from tests.tickets.leaks.together import Done

Mode = MailPreference.Mode
TASKS = ("mail.send_ticket_mail", "mail.send_digest")
SUMMARIZED = ("casey", "dana", "emil", "fatima", "noor")  # whose mails are collected for a summary at first


def collect_for_summaries(site: Site) -> None:
    for name in SUMMARIZED:
        user = site.people[name]
        kinds = [each for each in preferences.events_for(user) if Mode.DIGEST in preferences.modes_for(each)]
        preferences.set_modes(user, dict.fromkeys(kinds, Mode.DIGEST))


def prefer(site: Site, who: int, which: int, what: int) -> Done:
    """Have a person receive a kind of mail at once, later, in a summary, or never."""
    user = site.people[pick(PEOPLE, who)]
    kind = pick(preferences.events_for(user), which + 5 * (what % 2))
    preferences.set_modes(user, {kind: pick(preferences.modes_for(kind), what // 2)})
    return Done(None, is_hidden=False)


def send(site: Site, who: int, which: int, what: int) -> Done:
    """Send all mails that are owed; every other time while a person is deactivated, who receives none."""
    inactive = User.objects.filter(pk=site.people[pick(PEOPLE, who)].pk) if what % 2 else User.objects.none()
    addresses = set(inactive.values_list("email", flat=True))
    inactive.update(is_active=False)
    run_mail_jobs()
    User.objects.filter(email__in=addresses).update(is_active=True)
    assert addresses.isdisjoint(address for message in mail.outbox for address in message.recipients())
    return Done(None, is_hidden=False)


def run_mail_jobs() -> None:
    """Run the jobs of mails as if the time for which they wait had passed, and no others."""
    waiting, now = Job.objects.exclude(run_at=None), timezone.now()
    waiting.exclude(task__in=TASKS).update(run_at=now + timedelta(days=1))
    waiting.filter(task__in=TASKS).update(run_at=now)
    run_due_jobs()


def text_of(message: EmailMessage) -> str:
    """Return all that a mail says, before it is encoded."""
    alternatives = [str(content) for content, _kind in getattr(message, "alternatives", [])]
    headers = [f"{name}: {value}" for name, value in message.message().items()]
    files = [
        f"{file.filename}: {file.content!r}" for file in message.attachments if isinstance(file, EmailAttachment)
    ]
    return "\n".join([*headers, message.subject, str(message.body), *alternatives, *files])


def is_summary(message: EmailMessage) -> bool:
    return "update" in message.subject and not message.reply_to and "In-Reply-To" not in message.extra_headers
