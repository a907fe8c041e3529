"""Delete old entries of the audit log."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from audit.models import AuditEntry


class Command(BaseCommand):
    """See `help`."""

    help = "Delete entries of the audit log after AUDIT_RETENTION_DAYS."

    def handle(self, *_args: Any, **_options: Any) -> None:
        days, deleted = settings.AUDIT_RETENTION_DAYS, 0
        if days:
            deleted = AuditEntry.objects.prune(timezone.now() - timedelta(days=days))
        self.stdout.write(f"{deleted} audit entries deleted.")
