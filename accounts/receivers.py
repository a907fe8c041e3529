"""Access that changes for a person: every server process asks the rules of his sockets again."""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.http import HttpRequest

from accounts import sessions, tokens
from accounts.models import ApiToken, DeskSettings, Office, User
from realtime import reauthorize
from realtime.broadcasting import event_log
from realtime.signals import user_disconnected


@receiver(post_save, sender=User)
def person_changed(instance: User, created: bool, update_fields: Any, **_: Any) -> None:
    """A role, an account switched off or a new password changes what a person may hear."""
    if not created and update_fields != frozenset({"last_login"}):
        reauthorize(users=[instance.pk])


@receiver(post_delete, sender=User)
def person_deleted(instance: User, **_: Any) -> None:
    """The sign-ins of a person that is deleted are left behind, and are nobody's."""
    reauthorize(users=[instance.pk])


@receiver(m2m_changed, sender=Office.agents.through)
def agents_changed(instance: Office | User, action: str, pk_set: set[Any] | None, reverse: bool, **_: Any) -> None:
    """Who joins or leaves an office hears more, or less."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    if isinstance(instance, User):
        users = [instance.pk]
    else:
        users = list(pk_set if pk_set is not None else instance.agents.values_list("pk", flat=True))
    reauthorize(users=users)


@receiver(pre_delete, sender=Office)
def office_deleted(instance: Office, **_: Any) -> None:
    """Nobody hears it any more; no other signal is sent for memberships that go with their office."""
    agents = instance.agents.values_list("pk", flat=True)
    reauthorize(channels=[instance.channel, instance.presence_channel], users=list(agents))


@receiver(post_delete, sender=Session)
def session_ended(instance: Session, **_: Any) -> None:
    """The sockets of a sign-in end in the transaction that ends it (the signal of a sign-out comes before that)."""
    user_id = instance.get_decoded().get(SESSION_KEY)
    if user_id is not None:
        reauthorize(users=[user_id])


@receiver([password_changed, password_set, password_reset])
def password_replaced(request: HttpRequest, user: User, **_: Any) -> None:
    """A new password ends every other sign-in and every token: whoever knew the old one is out."""
    sessions.end_other_sessions(user, request.session.session_key)
    tokens.revoke_all(user)


@receiver(post_delete, sender=ApiToken)
def token_revoked(instance: ApiToken, **_: Any) -> None:
    """The sockets of a token end with it."""
    reauthorize(users=[instance.user_id])


@receiver(user_disconnected)
def disconnected_by_an_admin(user: User, **_: Any) -> None:
    """Who is disconnected is signed out everywhere: his pages would only connect again."""
    sessions.end_other_sessions(user, None)


@receiver(pre_save, sender=DeskSettings)
def staff_are_seen_otherwise(instance: DeskSettings, **_: Any) -> None:
    """Events hold the names that customers knew then: the history does not tell them again."""
    before = DeskSettings.objects.first() or DeskSettings()
    if before.staff_names != instance.staff_names:
        event_log.invalidate_history()


@receiver(pre_save, sender=Office)
def office_becomes_internal(instance: Office, **_: Any) -> None:
    """Customers never see an internal office, not even in what was told before it was one."""
    if instance.is_internal and Office.objects.filter(pk=instance.pk, is_internal=False).exists():
        event_log.invalidate_history()
