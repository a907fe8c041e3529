"""What each person wants to receive by mail, and when."""

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from mail.models.outgoing import OutgoingMail

Event = OutgoingMail.Event


class MailPreference(models.Model):
    """When a person receives mails about one kind of event. Without a row it is the default."""

    class Mode(models.TextChoices):
        """When a mail is sent."""

        NOW = "now", _("Right away")
        NEVER = "never", _("Never")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    event = models.CharField(max_length=20, choices=Event.choices)
    mode = models.CharField(max_length=10, choices=Mode.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "event"], name="one_mode_an_event")]

    def __str__(self) -> str:
        return f"{self.event}: {self.mode}"


def events_for(user: User) -> list[Event]:
    """Return the kinds of events that may concern `user`: as a customer, and for staff also their work."""
    return [event for event in Event if not user.is_customer or event not in OutgoingMail.STAFF_EVENTS]


def modes_of(user: User) -> dict[Event, MailPreference.Mode]:
    """Return when `user` receives mails about each kind of event that may concern them."""
    chosen = dict(MailPreference.objects.filter(user=user).values_list("event", "mode"))
    return {event: MailPreference.Mode(chosen.get(event, MailPreference.Mode.NOW)) for event in events_for(user)}


def set_modes(user: User, modes: dict[Event, MailPreference.Mode]) -> None:
    """Record the choice of `user`."""
    for event, mode in modes.items():
        MailPreference.objects.update_or_create(user=user, event=event, defaults={"mode": mode})


def without_muted(users: Iterable[User], event: Event) -> list[User]:
    """Return the users who want mails about a kind of event."""
    users = list(users)
    muted = MailPreference.objects.filter(user__in=users, event=event, mode=MailPreference.Mode.NEVER)
    keys = set(muted.values_list("user", flat=True)) if users else set()
    return [user for user in users if user.pk not in keys]
