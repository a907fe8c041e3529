"""What each audience may see of a user, shared by pages, events, API and presence."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import DeskSettings, Office, User
from realtime import Audience
from realtime.protocol import Member

StaffNames = DeskSettings.StaffNames
MASKED_COLOR = "#5c636a"


def user_payload(user: User, audience: Audience, office: Office | None) -> dict[str, str | None]:
    """Return id, name and role. Staff with a masked name have no id, and all the same role."""
    name = display_name(user, audience, office)
    if is_masked(user, audience):
        return {"id": None, "name": name, "role": User.Role.AGENT}
    return {"id": str(user.pk), "name": name, "role": user.role}


def unnamed_staff(office: Office | None) -> dict[str, str | None]:
    """Return what customers see of staff under the name of their office."""
    return {"id": None, "name": _office_name(office), "role": User.Role.AGENT}


def is_masked(user: User, audience: Audience) -> bool:
    """Return whether `audience` sees another name of `user`. Ids, roles and avatars would distinguish such users."""
    if audience is Audience.STAFF or user.is_customer:
        return False
    return DeskSettings.current().staff_names != StaffNames.FULL


def online_member(user: User, **_: Any) -> Member | None:
    """Return the presence member for colleagues, or None if the user hides their online status."""
    if user.hides_online:
        return None
    return Member(str(user.pk), member_payload(user))


def member_payload(user: User) -> dict[str, str | None]:
    """Return a colleague with their avatar."""
    return user_payload(user, Audience.STAFF, None) | {"avatar_url": avatar_url(user, Audience.STAFF)}


def display_name(user: User, audience: Audience, office: Office | None) -> str:
    """Return the name that `audience` may see; for customers the site's settings decide how staff appear."""
    if audience is Audience.STAFF or user.is_customer:
        return str(user)
    return _masked(user, office)


def avatar_url(user: User, audience: Audience) -> str:
    """Return the URL of the avatar that `audience` may see."""
    if is_masked(user, audience):
        return f"{reverse('masked-avatar')}?{urlencode({'letters': initials(_masked(user, None))})}"
    return reverse("avatar", args=[user.pk])


def initials_for(viewer: User, user: User) -> str:
    """Return the initials on an avatar, of the name that `viewer` may see."""
    return initials(display_name(user, _audience_of(viewer), None))


def avatar_color(viewer: User, user: User) -> str:
    """Return the background colour of an avatar for `viewer`: the same for all users with a masked name."""
    return MASKED_COLOR if is_masked(user, _audience_of(viewer)) else user.avatar_color


def _audience_of(viewer: User) -> Audience:
    return Audience.PUBLIC if viewer.is_customer else Audience.STAFF


def initials(name: str) -> str:
    """Return one or two initials of a name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def _masked(user: User, office: Office | None) -> str:
    names = DeskSettings.current().staff_names
    if names == StaffNames.FIRST and user.erased_at is None:
        return (user.name.split() or [""])[0]
    if names == StaffNames.OFFICE:
        return _office_name(office)
    return str(user)


def _office_name(office: Office | None) -> str:
    return _("Support") if office is None or office.is_internal else office.name
