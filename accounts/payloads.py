"""What each audience may see of a user, shared by pages, events, API and presence."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import DeskSettings, Office, User
from realtime import Audience
from realtime.protocol import Member

StaffNames = DeskSettings.StaffNames


def user_payload(user: User, audience: Audience, office: Office | None) -> dict[str, str]:
    """Return id, name and role. Customers may see the name of `office` instead of the user's."""
    return {"id": str(user.pk), "name": display_name(user, audience, office), "role": user.role}


def online_member(user: User, **_: Any) -> Member | None:
    """Return the presence member for colleagues, or None if the user hides their online status."""
    if user.hides_online:
        return None
    return Member(str(user.pk), user_payload(user, Audience.STAFF, None))


def display_name(user: User, audience: Audience, office: Office | None) -> str:
    """Return the name that `audience` may see; for customers the site's settings decide how staff appear."""
    if audience is Audience.STAFF or user.is_customer:
        return user.name
    return _masked(user.name, office)


def avatar_url(user: User, audience: Audience) -> str:
    """Return the avatar's URL. It varies with the setting that changes the initials, since browsers cache it."""
    address = reverse("avatar", args=[user.pk])
    return address if audience is Audience.STAFF else f"{address}?names={DeskSettings.current().staff_names}"


def initials_for(viewer: User, user: User) -> str:
    """Return the initials on an avatar, of the name that `viewer` may see."""
    if viewer.is_customer and not user.is_customer:
        return initials(_masked(user.name, None))
    return initials(user.name)


def initials(name: str) -> str:
    """Return one or two initials of a name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def _masked(name: str, office: Office | None) -> str:
    names = DeskSettings.current().staff_names
    if names == StaffNames.FIRST:
        return (name.split() or [""])[0]
    if names == StaffNames.OFFICE:
        return _("Support") if office is None or office.is_internal else office.name
    return name
