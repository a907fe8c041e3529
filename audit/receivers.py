"""Receivers that add the entries of the audit log."""

from collections.abc import Sequence
from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver

from accounts.models import ApiToken, Office, User
from audit.changes import CONFIGURATION, changed_fields, initial_fields
from audit.log import Action, record
from audit.models import AuditEntry
from tickets.models import OrganizationMember, Ticket
from tickets.signals import Change, person_erased, person_exported, ticket_deleted, ticket_updated

AUDITED = (User, *CONFIGURATION)


# -- Sign-in


@receiver(user_logged_in)
def signed_in(user: User, **_: Any) -> None:
    record(Action.SIGNED_IN, user, by=user)


@receiver(user_logged_out)
def signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        record(Action.SIGNED_OUT, user, by=user)


@receiver(user_login_failed)
def sign_in_failed(credentials: dict[str, Any], **_: Any) -> None:
    """Add an entry for unknown addresses too, without the address: both take the same time."""
    address = EmailAddress.objects.filter(email__iexact=credentials.get("email") or "", verified=True)
    record(Action.SIGN_IN_FAILED, User.objects.filter(pk__in=address.values("user")).first())


@receiver(authentication_failed)
def second_step_failed(user: User, **_: Any) -> None:
    record(Action.SIGN_IN_FAILED, user)


@receiver([password_changed, password_set, password_reset])
def password_replaced(user: User, **_: Any) -> None:
    record(Action.PASSWORD_CHANGED, user, by=user)


@receiver(authenticator_added)
def second_step_added(user: User, authenticator: Authenticator, **_: Any) -> None:
    record(Action.SECOND_STEP_ADDED, user, changes={authenticator.type: []})


@receiver(authenticator_removed)
def second_step_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    record(Action.SECOND_STEP_REMOVED, user, changes={authenticator.type: []})


@receiver(post_save, sender=ApiToken)
def token_created(instance: ApiToken, created: bool, **_: Any) -> None:
    if created:
        record(Action.TOKEN_CREATED, instance.user)


@receiver(post_delete, sender=ApiToken)
def token_revoked(instance: ApiToken, **_: Any) -> None:
    record(Action.TOKEN_REVOKED, instance.user)


# -- Users and configuration


@receiver(pre_save)
def about_to_be_saved(sender: type[Model], instance: Any, raw: bool, update_fields: Any, **_: Any) -> None:
    if sender in AUDITED and not raw and not instance._state.adding:
        instance._audited_changes = changed_fields(instance, update_fields)


@receiver(post_save)
def saved(sender: type[Model], instance: Any, created: bool, raw: bool, **_: Any) -> None:
    if sender not in AUDITED or raw:
        return
    if created:
        record(Action.CREATED, instance, changes=initial_fields(instance))
    elif changes := instance.__dict__.pop("_audited_changes", {}):
        record(Action.CHANGED, instance, changes=changes)


@receiver(post_delete)
def deleted(sender: type[Model], instance: Any, **_: Any) -> None:
    if sender in AUDITED:
        record(Action.DELETED, instance)


@receiver(m2m_changed, sender=Office.agents.through)
def agents_changed(instance: Office | User, action: str, pk_set: set[Any] | None, **_: Any) -> None:
    """Add one entry for each agent and office."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    for office, user in _members(instance, pk_set):
        pair = ["", office.name] if action == "post_add" else [office.name, ""]
        record(Action.CHANGED, user, changes={"offices": pair})


def _members(instance: Office | User, keys: set[Any] | None) -> list[tuple[Office, User]]:
    if isinstance(instance, User):
        offices = instance.offices.all() if keys is None else Office.objects.filter(pk__in=keys)
        return [(office, instance) for office in offices]
    users = instance.agents.all() if keys is None else User.objects.filter(pk__in=keys)
    return [(instance, user) for user in users]


# -- Who reads tickets beside their customers and staff


@receiver(pre_save, sender=OrganizationMember)
def membership_to_be_saved(instance: OrganizationMember, **_: Any) -> None:
    before = OrganizationMember.objects.filter(pk=instance.pk).values_list("organization__name", flat=True)
    instance._organization_before = before.first() or ""  # type: ignore[attr-defined]


@receiver(post_save, sender=OrganizationMember)
def membership_saved(instance: OrganizationMember, **_: Any) -> None:
    before = instance.__dict__.pop("_organization_before", "")
    if before != instance.organization.name:
        _membership_changed(instance, before, instance.organization.name)


@receiver(post_delete, sender=OrganizationMember)
def membership_deleted(instance: OrganizationMember, **_: Any) -> None:
    _membership_changed(instance, instance.organization.name, "")


def _membership_changed(member: OrganizationMember, before: str, after: str) -> None:
    """Add an entry about the person, who may be just being deleted."""
    record(Action.CHANGED, User(pk=member.user_id), changes={"organization": [before, after]})


@receiver(ticket_updated)
def participants_changed(ticket: Ticket, by: Any, changes: Sequence[Change], **_: Any) -> None:
    """Add an entry for each person who was added to a ticket or removed, by their key."""
    for change in changes:
        if change.field == "participants":
            keys = [None if person is None else str(person.pk) for person in (change.before, change.after)]
            record(Action.CHANGED, ticket, by=by if isinstance(by, User) else None, changes={"participants": keys})


# -- Tickets and personal data


@receiver(ticket_deleted)
def ticket_gone(ticket: Ticket, by: Any, **_: Any) -> None:
    record(Action.DELETED, ticket, by=by if isinstance(by, User) else None)


@receiver(person_exported)
def exported(person: User, **_: Any) -> None:
    record(Action.EXPORTED, person)


@receiver(person_erased)
def erased(person: User, **_: Any) -> None:
    AuditEntry.objects.forget_addresses(person.pk)
    record(Action.ERASED, person)
