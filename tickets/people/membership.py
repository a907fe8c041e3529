"""Keep the members of organizations up to date with verified addresses, and end access with membership."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from accounts.models import User
from accounts.signals import access_changed
from realtime import publish_all, reauthorize
from tickets.events import AccessReduced
from tickets.models import Organization, OrganizationDomain, OrganizationMember


@dataclass
class Revocation:
    """The organizations whose members, and the people who, have lost tickets."""

    organizations: set[int] = field(default_factory=set)
    people: set[Any] = field(default_factory=set)

    def publish(self) -> None:
        """Reauthorize all of them, then publish an event for their pages."""
        members = OrganizationMember.objects.filter(organization__in=self.organizations)
        losers = self.people.union(members.values_list("user", flat=True))
        if losers:
            reauthorize(users=losers)
            publish_all(AccessReduced(User(pk=loser)) for loser in sorted(losers))


_collected: ContextVar[Revocation | None] = ContextVar("collected", default=None)


@contextmanager
def one_revocation() -> Iterator[Revocation]:
    """Collect what is revoked within, and publish it once at the end: else each member is named for each other."""
    outer = _collected.get()
    if outer is not None:
        yield outer
        return
    revocation = Revocation()
    token = _collected.set(revocation)
    try:
        yield revocation
    finally:
        _collected.reset(token)
    revocation.publish()


def _revoke(organizations: Iterable[int], *people: Any) -> None:
    """End what members of `organizations` see of each other, as far as it has changed; `people` left them."""
    with one_revocation() as revocation:
        revocation.organizations.update(organizations)
        revocation.people.update(people)


# -- Who is a member


@receiver([post_save, post_delete], sender=EmailAddress)
def follow_address(instance: EmailAddress, **_: Any) -> None:
    """Add or remove the owner of an address that was verified or removed."""
    user = User.objects.filter(pk=instance.user_id).first()
    if user is not None:
        assign_member(user)


@receiver([post_save, post_delete], sender=OrganizationDomain)
def follow_domain(instance: OrganizationDomain, **_: Any) -> None:
    """Add the people at a domain, and remove the members whose domain was changed or deleted."""
    at_domain = EmailAddress.objects.filter(verified=True, email__iendswith=f"@{instance.domain}").values("user")
    members = OrganizationMember.objects.filter(organization=instance.organization_id, is_manual=False).values("user")
    customers = User.objects.filter(role=User.Role.CUSTOMER)
    with transaction.atomic(), one_revocation():
        for user in (customers.filter(pk__in=at_domain) | customers.filter(pk__in=members)).iterator():
            assign_member(user)


@transaction.atomic
def assign_member(user: User) -> None:
    """Make a customer a member by their verified addresses; what an admin decided stays."""
    present = OrganizationMember.objects.select_for_update().filter(user=user).first()
    if present is not None and present.is_manual:
        return
    organization_id = _organization_by_address(user) if user.is_customer else None
    if organization_id is None:
        if present is not None:
            present.delete()
    elif present is None:
        OrganizationMember.objects.create(organization_id=organization_id, user=user, is_manual=False)
    elif present.organization_id != organization_id:
        present.organization_id = organization_id
        present.save()


def _organization_by_address(user: User) -> int | None:
    """Return the organization of the first verified address, without those that an admin removed the user from."""
    verified = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    domains = [email.rpartition("@")[2].lower() for email in verified.values_list("email", flat=True)]
    rows = OrganizationDomain.objects.filter(domain__in=domains).exclude(organization__removals__user=user)
    found = {each.domain: each.organization_id for each in rows}
    return next((found[name] for name in domains if name in found), None)


# -- What members lose


@receiver(pre_save, sender=OrganizationMember)
def about_to_move(instance: OrganizationMember, **_: Any) -> None:
    """Remember the organization that a member leaves for another one."""
    before = OrganizationMember.objects.filter(pk=instance.pk, organization__members_see_tickets=True)
    left = before.exclude(organization=instance.organization_id).values_list("organization", flat=True)
    instance._left = list(left)  # type: ignore[attr-defined]


@receiver(post_save, sender=OrganizationMember)
def member_moved(instance: OrganizationMember, **_: Any) -> None:
    """Revoke what a member and the others of the organization that they left saw of each other."""
    if left := instance.__dict__.pop("_left", []):
        _revoke(left, instance.user_id)


@receiver(post_delete, sender=OrganizationMember)
def member_gone(instance: OrganizationMember, **_: Any) -> None:
    """Revoke what a member and the others saw of each other."""
    if Organization.objects.filter(pk=instance.organization_id, members_see_tickets=True).exists():
        _revoke([instance.organization_id], instance.user_id)


@receiver(access_changed)
def role_changed(users: list[Any], **_: Any) -> None:
    """Revoke what members see of people who are customers no more: only customers show each other their tickets."""
    memberships = OrganizationMember.objects.filter(user__in=users, organization__members_see_tickets=True)
    left = set(memberships.exclude(user__role=User.Role.CUSTOMER).values_list("organization", flat=True))
    if left:
        _revoke(left)


@receiver(pre_save, sender=Organization)
def about_to_change(instance: Organization, **_: Any) -> None:
    """Remember whether the members stop seeing each other's tickets."""
    instance._is_switched_off = (  # type: ignore[attr-defined]
        not instance.members_see_tickets
        and Organization.objects.filter(pk=instance.pk, members_see_tickets=True).exists()
    )


@receiver(post_save, sender=Organization)
def organization_changed(instance: Organization, **_: Any) -> None:
    """Revoke what the members saw of each other."""
    if instance.__dict__.pop("_is_switched_off", False):
        _revoke([instance.pk])
