"""Receivers that revoke access: every server process reauthorizes the sockets of the affected users."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.signals import (
    email_added,
    email_confirmed,
    email_removed,
    password_changed,
    password_reset,
    password_set,
)
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import email_addresses
from accounts.models import ApiToken, DeskSettings, Office, User
from accounts.sign_in import failed_attempts, sessions, tokens
from accounts.signals import access_changed
from realtime import reauthorize
from realtime.broadcasting import event_log
from realtime.signals import user_disconnected


@receiver(post_save, sender=User)
def user_changed(instance: User, created: bool, update_fields: Any, **_: Any) -> None:
    """Reauthorize after a change of role, activation or password."""
    if not created and update_fields != frozenset({"last_login"}):
        reauthorize(users=[instance.pk])
        access_changed.send(User, users=[instance.pk])


@receiver(post_delete, sender=User)
def user_deleted(instance: User, **_: Any) -> None:
    """Close the sockets of a deleted user: sessions remain in the database."""
    reauthorize(users=[instance.pk])


@receiver(m2m_changed, sender=Office.agents.through)
def agents_changed(instance: Office | User, action: str, pk_set: set[Any] | None, reverse: bool, **_: Any) -> None:
    """Reauthorize agents who join or leave an office."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    if isinstance(instance, User):
        users = [instance.pk]
    else:
        users = list(pk_set if pk_set is not None else instance.agents.values_list("pk", flat=True))
    reauthorize(users=users)


@receiver(pre_delete, sender=Office)
def office_deleted(instance: Office, **_: Any) -> None:
    """Reauthorize its channels and agents: deleting an office sends no m2m_changed."""
    agents = instance.agents.values_list("pk", flat=True)
    reauthorize(channels=instance.channels, users=list(agents))


@receiver(post_delete, sender=Session)
def session_ended(instance: Session, **_: Any) -> None:
    """Reauthorize in the transaction that deletes the session; the sign-out signal is sent before it."""
    user_id = instance.get_decoded().get(SESSION_KEY)
    if user_id is not None:
        reauthorize(users=[user_id])


@receiver([post_save, post_delete], sender=Authenticator)
def second_step_changed(instance: Authenticator, created: bool = True, **_: Any) -> None:
    """Reauthorize: staff may have to set one up, or have just done so."""
    if created and settings.STAFF_TWO_FACTOR_REQUIRED:
        reauthorize(users=[instance.user_id])


@receiver([password_changed, password_set, password_reset])
def password_replaced(request: HttpRequest, user: User, **_: Any) -> None:
    """End all other sessions and revoke all tokens."""
    sessions.end_other_sessions(user, request.session.session_key)
    tokens.revoke_all(user)


@receiver(password_reset)
def recent_addresses_removed(user: User, **_: Any) -> None:
    """Remove addresses that an intruder may have added before the owner reset the password."""
    email_addresses.announce_removal(user, email_addresses.remove_recent_addresses(user))


@receiver(password_reset)
def codes_accepted_again(request: HttpRequest, user: User, **_: Any) -> None:
    """Forget wrong codes: who entered them knew the old password."""
    failed_attempts.clear_codes(request, user)


@receiver(email_confirmed)
def address_confirmed(email_address: EmailAddress, **_: Any) -> None:
    """Record when the address was confirmed."""
    email_addresses.record_confirmation(email_address)


@receiver(email_added)
def address_added(user: User, email_address: EmailAddress, **_: Any) -> None:
    """Send a notice to the other addresses: allauth sends none."""
    to = email_addresses.notified_addresses(user)
    get_adapter().send_notice("account/email/email_added", user, to, {"added_email": email_address.email})


@receiver(email_removed)
def address_removed(user: User, email_address: EmailAddress, **_: Any) -> None:
    """Send a notice to the removed address too, if it was the user's."""
    if email_address.verified:
        values = {"deleted_email": email_address.email}
        get_adapter().send_notice("account/email/email_deleted", user, [email_address.email], values)


@receiver(authentication_failed)
def second_step_failed(user: User, **_: Any) -> None:
    """Count the wrong code: after several the owner is notified."""
    failed_attempts.count_wrong_code(user)


@receiver(post_delete, sender=ApiToken)
def token_revoked(instance: ApiToken, **_: Any) -> None:
    """Reauthorize the sockets of a revoked token."""
    reauthorize(users=[instance.user_id])


@receiver(user_disconnected)
def user_disconnected_by_admin(user: User, **_: Any) -> None:
    """End all sessions of the user: their pages would otherwise reconnect."""
    sessions.end_other_sessions(user, None)


@receiver(pre_save, sender=DeskSettings)
def staff_names_changed(instance: DeskSettings, **_: Any) -> None:
    """Invalidate the history: logged events contain the names that customers saw before."""
    before = DeskSettings.objects.first() or DeskSettings()
    if before.staff_names != instance.staff_names:
        event_log.invalidate_history()


@receiver(pre_save, sender=Office)
def office_made_internal(instance: Office, **_: Any) -> None:
    """Invalidate the history: logged events contain the office's name, which customers must no longer see."""
    if instance.is_internal and Office.objects.filter(pk=instance.pk, is_internal=False).exists():
        event_log.invalidate_history()
