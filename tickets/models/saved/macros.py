"""Sets of changes that staff apply to a ticket in one step."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.text.lines import validate_line
from tickets.models.saved.shared import Used, for_a_person_or_an_office


class Macro(Used):
    """A named set of actions, for one person, the agents of an office, or all staff."""

    name = models.CharField(_("name"), max_length=80, validators=[validate_line])
    # What it does, by the names in `macros/actions.py`. Rows are named by key: one may be deleted later, and then the
    # macro says so instead of doing the rest.
    actions = models.JSONField(_("actions"), default=dict)

    class Meta:
        verbose_name = _("macro")
        verbose_name_plural = _("macros")
        ordering = ["name", "pk"]
        constraints = [for_a_person_or_an_office("macro_for_a_person_or_an_office")]

    def __str__(self) -> str:
        return self.name
