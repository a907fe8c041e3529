"""The forms of an organization and of a new member."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tickets.models import Organization
from tickets.models.organizations import validate_domain

SEPARATORS = re.compile(r"[\s,;]+")


class OrganizationForm(forms.ModelForm[Organization]):
    """An organization with its domains, one on a line."""

    domains = forms.CharField(
        label=_("Domains"),
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("One on a line, such as example.com. Customers with a verified address there are members."),
    )

    # The version that the user saw.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Organization
        fields = ("name", "domains", "members_see_tickets")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["domains"] = "\n".join(self.instance.domain_names)
            self.initial["seen"] = self.instance.version

    @property
    def if_versions(self) -> set[str] | None:
        """The versions that may be changed; None for any."""
        seen = self.cleaned_data["seen"]
        return {seen} if seen else None

    def offer(self, present: Organization) -> None:
        """Say what another admin has set meanwhile; the user's next attempt replaces it."""
        values = {
            "name": present.name,
            "domains": ", ".join(present.domain_names) or _("none"),
            "members_see_tickets": _("on") if present.members_see_tickets else _("off"),
        }
        typed = {**self.cleaned_data, "domains": sorted(set(self.cleaned_data["domains"]))}
        for name, value in values.items():
            theirs = present.domain_names if name == "domains" else getattr(present, name)
            if typed[name] != theirs:
                self.add_error(name, _("Changed while you were editing, to: %(value)s") % {"value": value})
        self.add_error(None, _("Another admin has changed this organization. Save again to keep your version."))
        self.data = {**self.data.dict(), "seen": present.version}  # type: ignore[attr-defined]  # a QueryDict

    def clean_domains(self) -> list[str]:
        """Return the domains. Raises ValidationError with a sentence for each that is refused."""
        domains = [domain for domain in SEPARATORS.split(self.cleaned_data["domains"].lower()) if domain]
        errors = []
        for domain in domains:
            try:
                validate_domain(domain)
            except ValidationError as error:
                errors.append(f"{domain}: {' '.join(error.messages)}")
        if errors:
            raise ValidationError(errors)
        return domains


class MemberForm(forms.Form):
    """The person to add, as `customers.named_customer` reads it."""

    person = forms.CharField(
        label=_("Add a member"),
        max_length=400,
        error_messages={"required": _("Enter a name or an email address.")},
    )
