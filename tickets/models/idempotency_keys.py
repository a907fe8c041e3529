"""Idempotency keys of API requests."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class IdempotencyKey(models.Model):
    """An Idempotency-Key of an API request, and what that request created; kept for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_column="person_id")
    key = models.CharField(max_length=255)
    # SHA-256 of the path and the body.
    fingerprint = models.CharField(max_length=64)
    result_id = models.UUIDField(null=True, db_column="made")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "tickets_madeonce"
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="a_key_is_used_once")]

    def __str__(self) -> str:
        return self.key
