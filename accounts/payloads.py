"""Payloads of users for each audience, for pages, events, API and presence."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import DeskSettings, Office, User
from realtime import Audience
from realtime.protocol import Member

StaffNames = DeskSettings.StaffNames


def user_payload(person: User, audience: Audience, office: Office | None) -> dict[str, str]:
    """Return id, name and role, never the address. `office` may replace the name for customers."""
    return {"id": str(person.pk), "name": display_name(person, audience, office), "role": person.role}


def online_member(person: User, **_: Any) -> Member | None:
    """Return the presence member for colleagues; None if the user hides their online status."""
    if person.hides_online:
        return None
    return Member(str(person.pk), user_payload(person, Audience.STAFF, None))


def display_name(person: User, audience: Audience, office: Office | None) -> str:
    """Return the name shown to `audience`; the site's settings decide how customers see staff."""
    if audience is Audience.STAFF or person.is_customer:
        return person.name
    return _masked(person.name, office)


def avatar_url(person: User, audience: Audience) -> str:
    """Return the avatar's address, which changes with its letters because browsers cache it."""
    address = reverse("avatar", args=[person.pk])
    return address if audience is Audience.STAFF else f"{address}?names={DeskSettings.current().staff_names}"


def initials_for(viewer: User, person: User) -> str:
    """Return the letters on an avatar, from the name that `viewer` may see."""
    if viewer.is_customer and not person.is_customer:
        return initials(_masked(person.name, None))
    return initials(person.name)


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
