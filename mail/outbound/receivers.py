"""Receivers that owe mails, in the transaction of the service that sends the signal."""

from typing import Any

from django.dispatch import receiver

from accounts.models import DeskSettings
from jobs.models import Job
from mail.models import MailPreference, OutgoingMail
from mail.outbound.deliveries import owe
from tickets.models import NotificationKind
from tickets.notifications.recipients import Notice
from tickets.signals import people_notified, person_erased


@receiver(people_notified)
def owe_mails(notice: Notice, **_: Any) -> None:
    """Owe each of the people a mail. That a ticket was closed is mailed if the site wants it."""
    if notice.kind != NotificationKind.STATUS or DeskSettings.current().mails_closing:
        owe(notice)


@receiver(person_erased)
def forget_mails(person: Any, **_: Any) -> None:
    """Delete what was owed to an erased person, also about deleted tickets: failures name their address."""
    OutgoingMail.objects.filter(recipient=person).delete()
    MailPreference.objects.filter(user=person).delete()
    Job.objects.filter(key__endswith=f" {person.pk}").delete()
