"""How each person is notified of each kind of event: in the app, on the desktop, with a sound. Of mail: `mail`."""

from collections.abc import Iterable
from typing import Final

from accounts.models import User
from tickets.models import STAFF_KINDS, NotificationKind, NotificationPreference

CHANNELS: Final = ("in_app", "desktop", "sound")
# Few of these are for the person themselves: they would interrupt them all day.
_QUIET: Final = frozenset({NotificationKind.NEW_TICKET, NotificationKind.STATUS})


def kinds_for(*, is_customer: bool) -> list[NotificationKind]:
    """Return the kinds that a customer or staff may be notified of in the app."""
    kinds = [kind for kind in NotificationKind if kind != NotificationKind.RECEIPT]
    return [kind for kind in kinds if not (is_customer and kind in STAFF_KINDS)]


def default(user: User, kind: NotificationKind) -> NotificationPreference:
    """Return the preference of a person who has not chosen: the browser asks before a desktop notification."""
    return NotificationPreference(user=user, kind=kind, in_app=True, desktop=kind not in _QUIET, sound=False)


def preferences_of(user: User) -> dict[NotificationKind, NotificationPreference]:
    """Return the preference of `user` for each kind."""
    chosen = {each.kind: each for each in NotificationPreference.objects.filter(user=user)}
    return {kind: chosen.get(kind) or default(user, kind) for kind in kinds_for(is_customer=user.is_customer)}


def set_preference(user: User, kind: NotificationKind, **channels: bool) -> None:
    """Record a choice; the values are those of CHANNELS."""
    NotificationPreference.objects.update_or_create(user=user, kind=kind, defaults=channels)


def alerts_of(user: User) -> dict[str, list[str]]:
    """Return for each kind which of desktop and sound `user` wants."""
    return {
        kind.value: [name for name in ("desktop", "sound") if getattr(preference, name)]
        for kind, preference in preferences_of(user).items()
        if preference.in_app
    }


def wanted_in_app(people: Iterable[User], kind: NotificationKind) -> list[User]:
    """Return those who have not turned a kind off in the app: one query."""
    people = list(people)
    silent = NotificationPreference.objects.filter(user__in=people, kind=kind, in_app=False)
    keys = set(silent.values_list("user", flat=True))
    return [user for user in people if user.pk not in keys]
