"""What changes of users and of the configuration are worth an entry, and with which values."""

from typing import Any

from django.db.models import Field, Model

from accounts.models import DeskSettings, Invitation, MailLogo, Office, User
from mail.models import Mailbox
from tickets.models import Organization, OrganizationDomain, Priority, Status, Tag

MAX_VALUE = 200  # characters
USER_FIELDS = {"role", "is_active", "email"}
CONFIGURATION = (
    Office, DeskSettings, MailLogo, Status, Priority, Tag, Mailbox, Organization, OrganizationDomain, Invitation,
)  # fmt: skip
INITIAL_FIELDS = {
    User: "role", Invitation: "role", Organization: "members_see_tickets", OrganizationDomain: "organization",
}  # fmt: skip
WITHOUT_VALUES = {"email", "imap_secret", "image"}  # personal, secret, or no text
OPERATIONAL = {"imap_error", "imap_checked_at"}  # set by the poller


def initial_fields(instance: Model) -> dict[str, list[Any]]:
    """Return what an entry of a new instance holds, such as a user's role."""
    name = INITIAL_FIELDS.get(type(instance))
    return {} if name is None else {name: [None, _value(instance, instance._meta.get_field(name))]}


def changed_fields(instance: Model, update_fields: frozenset[str] | None) -> dict[str, list[Any]]:
    """Return {field: [before, after]} of an instance that is about to be saved; [] for personal and secret values."""
    fields = [field for field in _fields(instance) if update_fields is None or field.name in update_fields]
    before = type(instance)._default_manager.filter(pk=instance.pk).first() if fields else None
    if before is None:
        return {}
    pairs = {field.name: [_value(before, field), _value(instance, field)] for field in fields}
    return {name: [] if name in WITHOUT_VALUES else pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _fields(instance: Model) -> list[Field[Any, Any]]:
    fields = [field for field in instance._meta.concrete_fields if field.name not in OPERATIONAL]
    return [field for field in fields if not isinstance(instance, User) or field.name in USER_FIELDS]


def _value(instance: Model, field: Any) -> Any:
    value = getattr(instance, field.name)
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)[:MAX_VALUE]
