"""Permissions of users and offices, and the authorization of their channels."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Office, User
from realtime import Audience
from realtime.channels import Parts
from realtime.utils.compiled_query import CompiledQuery


def authorize_user(user: User, channels: Sequence[Parts]) -> list[Audience | None]:
    """Allow the user themselves only."""
    return [Audience.STAFF if user.is_active and user.pk == parts["user_id"] else None for parts in channels]


def authorize_office(user: User, channels: Sequence[Parts]) -> list[Audience | None]:
    """Allow agents of the office and admins, never customers."""
    office_ids = [parts["office_id"] for parts in channels]
    staffed = {pk for (pk,) in _staffed_offices.rows(*user.kind, user_id=user.pk, office_ids=office_ids)}
    return [Audience.STAFF if office_id in staffed else None for office_id in office_ids]


def works_in(user: User, office_id: int) -> bool:
    """Return whether `user` is staff of an office."""
    return bool(_staffed_offices.rows(*user.kind, user_id=user.pk, office_ids=[office_id]))


@CompiledQuery
def _staffed_offices(*kind: Any, user_id: UUID, office_ids: list[int]) -> QuerySet[Office, Any]:
    return staffed_offices(User.of_kind(*kind, pk=user_id)).filter(pk__in=office_ids).values_list("pk")


def staffed_offices(user: User) -> QuerySet[Office]:
    """Return the offices whose tickets `user` works on."""
    if not user.is_active or user.is_customer:
        return Office.objects.none()
    return Office.objects.all() if user.is_admin else Office.objects.filter(agents=user)


def visible_users(user: User) -> QuerySet[User]:
    """Return the users that `user` may look up: all for admins; for agents themselves and active staff."""
    if not user.is_active or user.is_customer:
        return User.objects.none()
    if user.is_admin:
        return User.objects.all()
    return User.objects.filter(Q(pk=user.pk) | Q(is_active=True) & ~Q(role=User.Role.CUSTOMER))


def can_name_customers(user: User) -> bool:
    """Allow staff to look up every customer, and to open tickets for them."""
    return user.is_active and not user.is_customer


def findable_people(user: User) -> QuerySet[User]:
    """Return the people that `user` may open a ticket for: all active ones for staff."""
    return User.objects.filter(is_active=True) if can_name_customers(user) else User.objects.none()


def can_manage_users(user: User) -> bool:
    """Allow admins to manage users, roles and offices."""
    return user.is_active and user.is_admin


def managed_users(user: User) -> QuerySet[User]:
    """Return the users whose role, offices and account `user` may change: for admins all that are not erased."""
    return User.objects.filter(erased_at=None) if can_manage_users(user) else User.objects.none()


def other_admins(user: User) -> QuerySet[User]:
    """Return the active admins except `user`."""
    return User.objects.filter(role=User.Role.ADMIN, is_active=True).exclude(pk=user.pk)


def offered_offices(user: User) -> QuerySet[Office]:
    """Return the offices in which `user` may open a ticket."""
    return Office.objects.filter(is_internal=False) if user.is_customer else Office.objects.all()
