"""What each audience may know of a person: the one serializer behind page, payload, API and presence."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import DeskSettings, Office, User
from realtime import Audience
from realtime.protocol import Member

StaffNames = DeskSettings.StaffNames


def user_payload(person: User, audience: Audience, office: Office | None) -> dict[str, str]:
    """Return who someone is; never an address. `office` is where he is met: customers may see its name for his."""
    return {"id": str(person.pk), "name": display_name(person, audience, office), "role": person.role}


def online_member(person: User, **_: Any) -> Member | None:
    """Return how colleagues see that someone is here; nobody sees who hides that he is online."""
    if person.hides_online:
        return None
    return Member(str(person.pk), user_payload(person, Audience.STAFF, None))


def display_name(person: User, audience: Audience, office: Office | None) -> str:
    """Return the name by which `audience` knows `person`; customers know staff as the desk's settings say."""
    if audience is Audience.STAFF or person.is_customer:
        return person.name
    return _masked(person.name, office)


def avatar_url(person: User, audience: Audience) -> str:
    """Return where the avatar is; another address while its letters are others, since browsers keep it."""
    address = reverse("avatar", args=[person.pk])
    return address if audience is Audience.STAFF else f"{address}?names={DeskSettings.current().staff_names}"


def initials_for(viewer: User, person: User) -> str:
    """Return the letters on an avatar: customers get those of the name that they may see."""
    if viewer.is_customer and not person.is_customer:
        return initials(_masked(person.name, None))
    return initials(person.name)


def initials(name: str) -> str:
    """Return the one or two letters that stand for a name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def _masked(name: str, office: Office | None) -> str:
    names = DeskSettings.current().staff_names
    if names == StaffNames.FIRST:
        return (name.split() or [""])[0]
    if names == StaffNames.OFFICE:
        return _("Support") if office is None or office.is_internal else office.name
    return name
