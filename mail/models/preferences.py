"""What each person wants to receive by mail, and when."""

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.models import STAFF_KINDS, NotificationKind


class MailPreference(models.Model):
    """When a person receives mails about one kind of event. Without a row it is the default."""

    class Mode(models.TextChoices):
        """When a mail is sent."""

        NOW = "now", _("Right away")
        UNSEEN = "unseen", _("If I haven't seen it on the page")
        DIGEST = "digest", _("In one email a day")
        NEVER = "never", _("Never")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    event = models.CharField(max_length=20, choices=NotificationKind.choices)
    mode = models.CharField(max_length=10, choices=Mode.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "event"], name="one_mode_an_event")]

    def __str__(self) -> str:
        return f"{self.event}: {self.mode}"


def events_for(user: User) -> list[NotificationKind]:
    """Return the kinds of events that may concern `user`: as a customer, and for staff also their work."""
    return [event for event in NotificationKind if not user.is_customer or event not in STAFF_KINDS]


def modes_for(event: NotificationKind) -> list[MailPreference.Mode]:
    """Return the modes of a kind of event, the default first. Of some it is unknown whether they were seen."""
    Mode = MailPreference.Mode  # noqa: N806
    kinds = NotificationKind
    if event == kinds.RECEIPT:  # its recipient waits for it
        return [Mode.NOW, Mode.NEVER]
    can_be_seen = event not in (kinds.STATUS, kinds.ASSIGNED, kinds.JOINED)
    return [*([Mode.UNSEEN] if can_be_seen else []), Mode.NOW, Mode.DIGEST, Mode.NEVER]


def modes_of(user: User) -> dict[NotificationKind, MailPreference.Mode]:
    """Return when `user` receives mails about each kind of event that may concern them."""
    chosen = dict(MailPreference.objects.filter(user=user).values_list("event", "mode"))
    return {event: MailPreference.Mode(chosen.get(event, modes_for(event)[0])) for event in events_for(user)}


def set_modes(user: User, modes: dict[NotificationKind, MailPreference.Mode]) -> None:
    """Record the choice of `user`."""
    for event, mode in modes.items():
        MailPreference.objects.update_or_create(user=user, event=event, defaults={"mode": mode})


def turn_digest_off(user: User) -> None:
    """Have `user` receive no more mails about what they received once a day."""
    MailPreference.objects.filter(user=user, mode=MailPreference.Mode.DIGEST).update(mode=MailPreference.Mode.NEVER)


def wanted_modes(users: Iterable[User], event: NotificationKind) -> list[tuple[User, MailPreference.Mode]]:
    """Return the users who want mails about a kind of event, and when they want them."""
    users = list(users)
    chosen = (
        dict(MailPreference.objects.filter(user__in=users, event=event).values_list("user", "mode")) if users else {}
    )
    modes = [(user, MailPreference.Mode(chosen.get(user.pk, modes_for(event)[0]))) for user in users]
    return [(user, mode) for user, mode in modes if mode != MailPreference.Mode.NEVER]
