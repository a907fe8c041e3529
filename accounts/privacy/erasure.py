"""Erase an account: what signs a person in, names them or locates them, outside of tickets."""

import base64
import json
from typing import Any
from urllib.parse import unquote_plus
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiToken, Invitation, User
from accounts.privacy.identity import Identity
from accounts.sign_in import sessions, tokens
from jobs.models import Job

OWNED: dict[type[Any], str] = {EmailAddress: "pk", UserSession: "pk", Authenticator: "pk", ApiToken: "id"}


def erase_account(person: User, identity: Identity) -> None:
    """Make `person` neutral, and end everything that they sign in with. Run it in a transaction."""
    _erase_admin_log(person, identity)
    sessions.end_other_sessions(person, None)
    _erase_sessions(identity)
    tokens.revoke_all(person)
    for model in (EmailAddress, UserSession, Authenticator, SocialAccount):
        model.objects.filter(user=person).delete()
    Job.objects.filter(Q(arguments__user_id=str(person.pk)) | Q(arguments__email__in=identity.texts)).delete()
    Invitation.objects.filter(email__in=identity.emails).delete()
    person.offices.clear()
    _erase_cache(identity)
    make_neutral(person, identity)
    person.save()


def make_neutral(person: User, identity: Identity) -> None:
    """Replace the person's fields by those of no one, without saving them."""
    fields = {field.name: field for field in User._meta.concrete_fields}
    for name in fields.keys() - {"id", "role", "date_joined"}:
        setattr(person, name, fields[name].get_default())
    person.name, person.email = identity.replacement, f"erased-{uuid4().hex}@erased.invalid"
    person.is_active, person.erased_at = False, timezone.now()
    person.set_unusable_password()


def _erase_admin_log(person: User, identity: Identity) -> None:
    """Remove the name and addresses from the log of the admin: as subject, as owner, and in all other texts."""
    about = _objects(User, [str(person.pk), person.pk.hex])
    for model, key in OWNED.items():
        keys = model._default_manager.filter(user=person).values_list(key, flat=True)
        about |= _objects(model, [str(each) for each in keys])
    for entry in LogEntry.objects.filter(about):
        entry.object_repr = identity.replacement
        entry.change_message = _neutral_message(entry.change_message, identity)
        entry.save(update_fields=["object_repr", "change_message"])
    mentions = Q()
    for text in identity.texts:
        mentions |= Q(object_repr__icontains=text) | Q(change_message__icontains=json.dumps(text)[1:-1])
        mentions |= Q(change_message__icontains=text)
    for entry in LogEntry.objects.filter(mentions):
        entry.object_repr = identity.removed(entry.object_repr)[:200]
        entry.change_message = _without_mentions(entry.change_message, identity)
        entry.save(update_fields=["object_repr", "change_message"])


def shorten_admin_log(model: Any, key: Any, text: str) -> None:
    """Replace the name of a deleted object in the log of the admin."""
    LogEntry.objects.filter(_objects(model, [str(key)])).update(object_repr=text, change_message="")


def _objects(model: Any, keys: list[str]) -> Q:
    return Q(content_type=ContentType.objects.get_for_model(model), object_id__in=keys)


def _neutral_message(message: str, identity: Identity) -> str:
    """Return the message without the names of related objects, such as addresses; its fields stay."""
    try:
        changes = json.loads(message)
    except ValueError:
        return identity.removed(message)
    if not isinstance(changes, list):
        return ""
    for change in changes:
        for what in change.values() if isinstance(change, dict) else ():
            if isinstance(what, dict) and "object" in what:
                what["object"] = identity.replacement
    return json.dumps(identity.removed_from(changes))


def _without_mentions(message: str, identity: Identity) -> str:
    try:
        return json.dumps(identity.removed_from(json.loads(message)))
    except ValueError:
        return identity.removed(message)


def _erase_sessions(identity: Identity) -> None:
    """Delete the person's sessions that no list shows, and anonymous ones that name them; clean those of others."""
    for session in Session.objects.iterator():
        data = session.get_decoded()
        owner = data.get(SESSION_KEY)
        if owner == identity.user_id or (owner is None and _names(data, identity)):
            session.delete()
        elif named := [key for key, value in data.items() if _names(value, identity)]:
            # Messages that were not shown yet, and a form that waits for the password.
            session.session_data = Session.objects.encode({key: data[key] for key in data.keys() - named})
            session.save(update_fields=["session_data"])


def _names(value: Any, identity: Identity) -> bool:
    """Return whether a value of a session names the person, also as part of a submitted form."""
    text = json.dumps(value, ensure_ascii=False)
    return identity.user_id in text or identity.is_in_json(text) or identity.is_in(unquote_plus(text))


def _erase_cache(identity: Identity) -> None:
    """Delete what the cache in the database holds of the person; one in Redis expires within an hour."""
    cache: Any = caches["default"]
    if not isinstance(cache, DatabaseCache):
        return
    connection = connections[router.db_for_write(cache.cache_model_class)]
    table = connection.ops.quote_name(cache.cache_model_class._meta.db_table)
    marks = [mark.encode() for mark in (identity.user_id, *identity.texts, *identity.network_addresses)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT cache_key, value FROM {table}")  # noqa: S608
        rows = [(key, key.encode() + base64.b64decode(value)) for key, value in cursor.fetchall()]
        for key, content in rows:
            if any(mark in content for mark in marks):
                cursor.execute(f"DELETE FROM {table} WHERE cache_key = %s", [key])  # noqa: S608
