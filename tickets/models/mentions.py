"""Colleagues that an internal note mentions."""

from django.conf import settings
from django.db import models

from tickets.models.replies import Reply


class Mention(models.Model):
    """A member of staff that a note mentions as "@name": the row identifies the person, not the text."""

    reply = models.ForeignKey(Reply, models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    # The name in the text, which stays when the person gets another one.
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reply", "user"], name="one_mention_a_note")]

    def __str__(self) -> str:
        return f"@{self.name}"
