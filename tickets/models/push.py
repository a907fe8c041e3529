"""Browsers that receive push messages, and the key of this site that signs them."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class PushSubscription(models.Model):
    """A browser that receives push messages for a person, while their session in it lasts (RFC 8030)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    session_key = models.CharField(max_length=40, db_index=True)
    endpoint = models.URLField(max_length=1000, unique=True)
    # Keys of the browser, which alone can read a message (RFC 8291).
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.user_id} {self.pk}"


class PushKey(models.Model):
    """The site's key for push services (VAPID, RFC 8292): one row, encrypted, made when it is first needed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    sealed = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_push_key")]

    def __str__(self) -> str:
        return "VAPID"
