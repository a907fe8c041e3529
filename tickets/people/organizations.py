"""Keep the members of organizations up to date, and end access with membership."""

from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from accounts.models import User
from accounts.signals import access_changed
from realtime import reauthorize
from tickets.models import Organization, OrganizationDomain, OrganizationMember


@receiver([post_save, post_delete], sender=EmailAddress)
def follow_address(instance: EmailAddress, **_: Any) -> None:
    """Add or remove the owner of an address that was verified or removed."""
    user = User.objects.filter(pk=instance.user_id).first()
    if user is not None:
        assign_member(user)


@receiver([post_save, post_delete], sender=OrganizationDomain)
def follow_domain(instance: OrganizationDomain, **_: Any) -> None:
    """Add or remove the people at a domain."""
    at_domain = EmailAddress.objects.filter(verified=True, email__iendswith=f"@{instance.domain}").values("user")
    for user in User.objects.filter(pk__in=at_domain, role=User.Role.CUSTOMER).iterator():
        assign_member(user)


@transaction.atomic
def assign_member(user: User) -> None:
    """Make a customer a member by their verified addresses; what an admin decided stays."""
    present = OrganizationMember.objects.select_for_update().filter(user=user).first()
    if present is not None and present.is_manual:
        return
    verified = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    domains = [email.rpartition("@")[2].lower() for email in verified.values_list("email", flat=True)]
    found = {each.domain: each for each in OrganizationDomain.objects.filter(domain__in=domains)}
    domain = next((found[name] for name in domains if name in found), None)
    if domain is None or not user.is_customer:
        if present is not None:
            present.delete()
    elif present is None:
        OrganizationMember.objects.create(organization_id=domain.organization_id, user=user, is_manual=False)
    elif present.organization_id != domain.organization_id:
        present.organization_id = domain.organization_id
        present.save()


@receiver(pre_save, sender=OrganizationMember)
def member_moves(instance: OrganizationMember, **_: Any) -> None:
    """Reauthorize the members of the organization that a member leaves for another one."""
    before = OrganizationMember.objects.filter(pk=instance.pk).exclude(organization=instance.organization_id).first()
    if before is not None:
        _reauthorize_members(before.organization_id)


@receiver([post_save, post_delete], sender=OrganizationMember)
def member_changed(instance: OrganizationMember, **_: Any) -> None:
    """Reauthorize the member and the others, who saw their tickets."""
    _reauthorize_members(instance.organization_id, instance.user_id)


@receiver(access_changed)
def role_changed(users: list[Any], **_: Any) -> None:
    """Reauthorize the other members: only customers show each other their tickets."""
    memberships = OrganizationMember.objects.filter(user__in=users, organization__members_see_tickets=True)
    for organization_id in set(memberships.values_list("organization", flat=True)):
        _reauthorize_members(organization_id)


@receiver(post_save, sender=Organization)
def organization_changed(instance: Organization, created: bool, **_: Any) -> None:
    """Reauthorize the members: they may have lost each other's tickets."""
    if not created:
        _reauthorize_members(instance.pk)


def _reauthorize_members(organization_id: int, *others: Any) -> None:
    members = OrganizationMember.objects.filter(organization=organization_id).values_list("user", flat=True)
    users = {*members, *others}
    if users:
        reauthorize(users=users)
