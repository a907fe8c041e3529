"""Form fields for long texts: nothing that is typed or pasted is cut."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.formats import number_format
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop


class UncutField(forms.CharField):
    """A text that stays in its box if it is too long: a `maxlength` would cut what is pasted, without a word.

    Browsers and server show the same sentence (`static/js/behaviors/text-limit.js`).
    """

    too_long = gettext_noop("This text is too long (%(length)s characters). The limit is %(most)s.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators = [each for each in self.validators if not isinstance(each, MaxLengthValidator)]

    def to_python(self, value: Any) -> str:
        """Count a line break as one character, as services and browsers do."""
        return str(super().to_python(value)).replace("\r\n", "\n")

    def validate(self, value: str) -> None:
        """Raise ValidationError if the text is too long."""
        super().validate(value)
        if self.max_length is not None and len(value) > self.max_length:
            raise ValidationError(self._too_long(_grouped(len(value))), code="max_length")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Return the limit for scripts instead of `maxlength`."""
        attrs = {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}
        return attrs | {"data-max-length": str(self.max_length), "data-too-long": self.too_long_template}

    @property
    def too_long_template(self) -> Any:
        """The sentence in the reader's language, with {length} for scripts to fill in."""
        return lazy(self._too_long, str)("{length}")

    def _too_long(self, length: str) -> str:
        return _(self.too_long) % {"length": length, "most": _grouped(self.max_length or 0)}


class MessageField(UncutField):
    """A message. The service keeps the indentation of its first line."""

    widget = forms.Textarea
    too_long = gettext_noop(
        "This message is too long (%(length)s characters). The limit is %(most)s: shorten it or attach it as a file."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, **kwargs})


class KeysField(forms.Field):
    """Any number of UUIDs; what is none is ignored."""

    widget = forms.MultipleHiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def clean(self, value: Any) -> list[UUID]:
        """Return the UUIDs."""
        return [key for text in value or [] if (key := _uuid(text)) is not None]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _grouped(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
