"""Fields that choose rows of the database, by key or by name."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from accounts.text.choices import in_short, is_named


class _InstanceChoices:
    """Rows, read once for choices and validation, and additional words."""

    valid_value: Any

    def _take(self, rows: Iterable[Model], words: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Return the choices."""
        self.rows = {str(row.pk): row for row in rows}
        words = list(words)
        self.accepted = [*(word for word, _label in words if word), *map(str, self.rows.values())]
        return [*words, *((key, str(row)) for key, row in self.rows.items())]

    def _key_of(self, value: Any) -> Any:
        """Return the key of a name in any case. Digits are always a key."""
        if not value or value.isdigit() or self.valid_value(value):
            return value
        return next((key for key, row in self.rows.items() if is_named(row, value)), value)

    def _require_valid(self, value: Any) -> None:
        """Raise ValidationError with the possible values."""
        if value and not self.valid_value(value):
            accepted = in_short(self.accepted)
            raise ValidationError(
                _("Unknown value. Choose one of: %(choices)s.") % {"choices": accepted}, "invalid_choice"
            )


class InstanceChoiceField(_InstanceChoices, forms.ChoiceField):
    """A choice of model instances with additional words."""

    def __init__(self, rows: Iterable[Model], words: Iterable[tuple[str, Any]] = (), **kwargs: Any) -> None:
        super().__init__(choices=self._take(rows, words), required=False, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return the instance, by key or by name in any case, the word, or None."""
        chosen = super().clean(self._key_of(value))
        return self.rows.get(chosen, chosen) or None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what the page shows as chosen: the key, also of a name."""
        return self._key_of(super().bound_data(data, initial))

    def validate(self, value: Any) -> None:
        """Raise ValidationError with the possible values."""
        self._require_valid(value)


class InstancesField(_InstanceChoices, forms.MultipleChoiceField):
    """Any number of model instances and additional words."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, rows: Iterable[Model], words: Iterable[tuple[str, Any]] = (), **kwargs: Any) -> None:
        super().__init__(choices=self._take(rows, words), required=False, **kwargs)

    def clean(self, value: Any) -> list[Any]:
        """Return the instances, by key or by name in any case, and the words."""
        return [self.rows.get(chosen, chosen) for chosen in super().clean(self._keys_of(value))]

    def bound_data(self, data: Any, initial: Any) -> list[str]:
        """Return what the page shows as chosen: the keys, also of names."""
        return self._keys_of(super().bound_data(data, initial))

    def _keys_of(self, values: Any) -> list[str]:
        return list(dict.fromkeys(self._key_of(value) for value in values if value))

    def validate(self, value: list[str]) -> None:
        """Raise ValidationError with the possible values."""
        for each in value:
            self._require_valid(each)
