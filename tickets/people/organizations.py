"""Change organizations, their domains and their members."""

from collections.abc import Container, Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import customers
from accounts.models import User
from tickets import policies
from tickets.locking import require
from tickets.models import Organization, OrganizationDomain, OrganizationMember, OrganizationRemoval
from tickets.people.membership import assign_member, one_revocation

MAX_DOMAINS = 50


class Stale(Exception):
    """The organization has none of the versions that the client named."""


@transaction.atomic
def save_organization(
    organization: Organization,
    *,
    by: User,
    domains: Iterable[str] | None = None,
    if_versions: Container[str] | None = None,
) -> Organization:
    """Save an organization and, unless None, its `domains`: people at them are members.

    Raises PermissionDenied, ValidationError, and Stale if its version is not in `if_versions`.
    """
    _require_admin(by)
    if if_versions is not None and organization.pk is not None:
        present = Organization.objects.select_for_update().filter(pk=organization.pk).first()
        if present is None or present.version not in if_versions:
            raise Stale
    with one_revocation():
        organization.full_clean()
        organization.save()
        if domains is not None:
            _save_domains(organization, {domain.strip().lower() for domain in domains})
    return organization


@transaction.atomic
def delete_organization(organization: Organization, *, by: User) -> None:
    """Delete an organization; what its members saw of each other ends. Raises PermissionDenied."""
    _require_admin(by)
    with one_revocation():
        organization.delete()


@transaction.atomic
def add_member(organization: Organization, *, by: User, person: User) -> bool:
    """Make `person` a member by hand, which no address changes; return whether they were none.

    It undoes a removal by hand, and ends another membership by hand. Raises PermissionDenied, ValidationError.
    """
    _require_admin(by)
    if not person.is_customer:
        raise ValidationError({"person": _("Only customers can be members.")})
    OrganizationRemoval.objects.filter(organization=organization, user=person).delete()
    present = OrganizationMember.objects.select_for_update().filter(user=person).first()
    if present is not None and present.organization_id == organization.pk:
        return False
    if present is None:
        OrganizationMember.objects.create(organization=organization, user=person)
        return True
    OrganizationRemoval.objects.get_or_create(organization_id=present.organization_id, user=person)
    present.organization, present.is_manual = organization, True
    present.save()
    return True


@transaction.atomic
def add_named_member(organization: Organization, text: str, *, by: User) -> User:
    """Make the person that `text` names (see `customers.named_customer`), who may be new, a member. Return them.

    Raises PermissionDenied, ValidationError.
    """
    _require_admin(by)
    try:
        person = customers.named_customer(text, by=by)
    except ValidationError as error:
        raise ValidationError({"person": error.messages}) from error
    add_member(organization, by=by, person=person)
    return person


@transaction.atomic
def remove_member(organization: Organization, *, by: User, person: User) -> bool:
    """Remove a member, whose addresses do not make them one again; return whether they were one.

    `add_member` and `restore_member` undo it. Raises PermissionDenied.
    """
    _require_admin(by)
    number, _rows = OrganizationMember.objects.filter(organization=organization, user=person).delete()
    if number:
        OrganizationRemoval.objects.get_or_create(organization=organization, user=person)
    return bool(number)


@transaction.atomic
def restore_member(organization: Organization, *, by: User, person: User) -> bool:
    """Undo a removal by hand: the person's addresses decide again. Return whether they are a member now.

    Raises PermissionDenied.
    """
    _require_admin(by)
    OrganizationRemoval.objects.filter(organization=organization, user=person).delete()
    assign_member(person)
    return OrganizationMember.objects.filter(organization=organization, user=person).exists()


def _require_admin(by: User) -> None:
    require(policies.can_manage_organizations(by), _("Only admins can change organizations."))


def _save_domains(organization: Organization, domains: set[str]) -> None:
    """Add and delete domains. Raises ValidationError with the field `domains`."""
    if len(domains) > MAX_DOMAINS:
        raise ValidationError({"domains": _("Use at most %(most)d domains.") % {"most": MAX_DOMAINS}})
    present = {row.domain: row for row in organization.domains.all()}
    for name in present.keys() - domains:
        present[name].delete()
    for name in sorted(domains - present.keys()):
        row = OrganizationDomain(organization=organization, domain=name)
        try:
            row.full_clean()
        except ValidationError as error:
            raise ValidationError({"domains": [f"{name}: {text}" for text in error.messages]}) from error
        row.save()
