"""Delete old idempotency keys of the API."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from tickets.api.idempotency import RETENTION
from tickets.models import IdempotencyKey


class Command(BaseCommand):
    """See `help`."""

    help = "Delete idempotency keys that are no longer valid."

    def handle(self, *_args: Any, **_options: Any) -> None:
        deleted, _ = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - RETENTION).delete()
        self.stdout.write(f"{deleted} idempotency keys deleted.")
