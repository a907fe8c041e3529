"""Forms of sign-up, profile and API tokens."""

import zoneinfo
from functools import cache
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken, User
from accounts.sign_in import tokens
from accounts.text.lines import validate_line, validate_person_name

if TYPE_CHECKING:  # generic for the type checker only
    _ModelMultipleChoiceField = forms.ModelMultipleChoiceField[Any]
else:
    _ModelMultipleChoiceField = forms.ModelMultipleChoiceField

TOKEN_DAYS = ((30, _("30 days")), (90, _("90 days")), (365, _("1 year")))


class StoredChoicesField(_ModelMultipleChoiceField):
    """Choices among stored rows. An id that no database column holds is unknown like any other; SQLite raises."""

    def clean(self, value: Any) -> QuerySet[Any]:
        try:
            return super().clean(value)
        except OverflowError:
            raise ValidationError(self.error_messages["invalid_choice"], params={"value": value[-1]}) from None


class NameForm(forms.Form):
    """Adds the name to the sign-up form."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        validators=[validate_person_name],
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    field_order = ["name", "email", "password1", "password2"]

    def signup(self, request: HttpRequest, user: User) -> None:
        """Save the name of the new user. Called by allauth."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])


class ProfileForm(forms.ModelForm[User]):
    """The user's name, language, time zone and privacy settings."""

    class Meta:
        model = User
        fields = (
            "name",
            "language",
            "time_zone",
            "hides_online",
            "hides_read_marks",
            "after_sending",
            "uses_single_keys",
        )
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "time_zone": forms.Select,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language: forms.TypedChoiceField = self.fields["language"]  # type: ignore[assignment]
        language.choices = [("", _("Same as browser")), *User._meta.get_field("language").flatchoices]
        language.help_text = self.fields["time_zone"].help_text = ""
        if self.instance.is_customer:
            del self.fields["after_sending"], self.fields["uses_single_keys"]
        own = [self.instance.time_zone] if self.instance.time_zone else []
        zones = dict.fromkeys([*time_zones(), *own])
        self.fields["time_zone"].widget.choices = [("", _("Same as browser")), *((zone, zone) for zone in zones)]

    def clean_time_zone(self) -> str:
        """Reject names that the time zone database does not know."""
        name: str = self.cleaned_data["time_zone"].strip()
        if name and name not in zoneinfo.available_timezones():
            raise forms.ValidationError(_("Unknown time zone. Choose one such as Europe/Berlin."))
        return name


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        validators=[validate_line],
        help_text=_("What the token is for, such as “Invoice import”."),
    )
    scope = forms.ChoiceField(label=_("Access"), choices=ApiToken.Scope.choices, initial=ApiToken.Scope.WRITE)
    days = forms.TypedChoiceField(label=_("Expires after"), choices=TOKEN_DAYS, coerce=int, initial=90)

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean(self) -> dict[str, Any]:
        """Enforce the limit of tokens per user."""
        tokens.check_token_limit(self.user)
        return super().clean() or {}


@cache
def time_zones() -> list[str]:
    """Return the time zones of places, and UTC."""
    places = {
        name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    }
    return [*sorted(places), "UTC"]
