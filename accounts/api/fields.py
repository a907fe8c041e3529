"""Strict request fields: misspelt and mistyped values are errors."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from accounts.text.choices import in_short, is_named
from accounts.text.lines import validate_line

# A visible character, without NUL, as the OpenAPI document describes texts (accounts/text/lines.py).
VISIBLE = (
    r"[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]"
)
WORDS = rf"^[^\u0000]*{VISIBLE}[^\u0000]*$"
# Without control characters, except those that count as spaces, and without those that turn the text around.
_IN_A_LINE = r"[^\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*"
LINE = rf"^{_IN_A_LINE}{VISIBLE}{_IN_A_LINE}$"
CANONICAL_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Body(serializers.Serializer):  # type: ignore[misc]
    """A JSON object with known fields only."""

    default_error_messages = {"invalid": _("The body must be a JSON object.")}
    required_in_patch: tuple[str, ...] = ()  # for the OpenAPI document
    takes_one_field = False  # so that the OpenAPI document says so; `validate` checks it

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Report unknown fields together with invalid ones."""
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        errors: dict[str, Any] = {name: [ErrorDetail(_("Unknown field."), "unknown")] for name in unknown}
        try:
            value: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **errors}) from None
        if errors:
            raise serializers.ValidationError(errors)
        return value


class Text(serializers.CharField):  # type: ignore[misc]
    """A string with at least one visible character; numbers are rejected."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)
        self.validators.append(RegexValidator(VISIBLE, _("Enter a message."), "blank"))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        value: str = super().to_internal_value(data)
        return value


class Line(Text):
    """A single line; line breaks and other white space become spaces."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(validate_line)

    def to_internal_value(self, data: Any) -> str:
        return " ".join(super().to_internal_value(data).split())


class Flag(serializers.BooleanField):  # type: ignore[misc]
    """`true` or `false`; strings and numbers are rejected."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class Address(serializers.CharField):  # type: ignore[misc]
    """The absolute URL of a path on this site."""

    def to_representation(self, value: str) -> str:
        url: str = self.context["request"].build_absolute_uri(value)
        return url


class OneOf(serializers.ChoiceField):  # type: ignore[misc]
    """One of the choices, of the same type."""

    def to_internal_value(self, data: Any) -> Any:
        """Reject "30" where 30 is expected."""
        if type(data) not in (int, str) or data not in self.choices:
            self.fail("invalid_choice", input=str(data).encode(errors="backslashreplace").decode())
        return data


class Row(serializers.Field):  # type: ignore[misc]
    """A row that the user may choose, by id or by name."""

    default_error_messages = {
        "invalid": _("Expected a name or an id."),
        "does_not_exist": _("Unknown value. Choose one of: {choices}."),
    }

    def __init__(self, rows: Callable[[Any], QuerySet[Any]], **kwargs: Any) -> None:
        self.rows = rows
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Look it up among the rows of the user; a name in any case."""
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("invalid")
        rows = list(self.rows(self.context["request"].user))
        found = [row for row in rows if data in (row.pk, row.name)]
        found = found or [row for row in rows if isinstance(data, str) and is_named(row, data)]
        if not found:
            self.fail("does_not_exist", choices=in_short(map(str, rows)))
        return found[0]

    def to_representation(self, value: Any) -> str:
        return str(value)


class Uuid(serializers.UUIDField):  # type: ignore[misc]
    """A UUID in canonical form; numbers are rejected."""

    def to_internal_value(self, data: Any) -> UUID:
        return uuid_of(self, data)


class RowId(serializers.UUIDField):  # type: ignore[misc]
    """A row that the user may choose, by UUID."""

    default_error_messages = {"does_not_exist": _("Unknown value.")}

    def __init__(self, rows: Callable[[Any], QuerySet[Any]], **kwargs: Any) -> None:
        self.rows = rows
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Look it up among the rows of the user."""
        row = self.rows(self.context["request"].user).filter(pk=uuid_of(self, data)).first()
        if row is None:
            self.fail("does_not_exist")
        return row


def uuid_of(field: serializers.UUIDField, data: Any) -> UUID:
    """Return the UUID of a string in canonical form (36 characters)."""
    if not isinstance(data, str) or not CANONICAL_UUID.fullmatch(data):
        field.fail("invalid", value=data)
    return UUID(data)
