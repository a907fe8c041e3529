"""Forget the text of received messages after their retention time."""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from mail.models import ReceivedMessage

RECORD_DAYS: Final = 730  # until a message that is received again counts as a new one


class Command(BaseCommand):
    """See `help`."""

    help = "Forget the original text of messages after MAIL_RETENTION_DAYS, and their records after two years."

    def handle(self, *_args: Any, **_options: Any) -> None:
        now, state = timezone.now(), ReceivedMessage.State
        done = ReceivedMessage.objects.filter(state__in=[state.PROCESSED, state.IGNORED])
        forgotten = 0
        if settings.MAIL_RETENTION_DAYS:
            old = done.filter(received_at__lt=now - timedelta(days=settings.MAIL_RETENTION_DAYS))
            forgotten = old.exclude(raw=None).update(raw=None)
            done.filter(raw=None, received_at__lt=now - timedelta(days=RECORD_DAYS)).delete()
        self.stdout.write(f"{forgotten} original messages forgotten.")
