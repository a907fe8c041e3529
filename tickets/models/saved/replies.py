"""Texts that staff reuse in replies."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.text.lines import validate_line
from tickets.models.saved.shared import Used, for_a_person_or_an_office
from tickets.models.tickets import MAX_MESSAGE


class SavedReply(Used):
    """A text with variables, for one person, the agents of an office, or all staff."""

    name = models.CharField(_("name"), max_length=80, validators=[validate_line])
    text = models.TextField(_("text"), max_length=MAX_MESSAGE)

    class Meta:
        verbose_name = _("saved reply")
        verbose_name_plural = _("saved replies")
        ordering = ["name", "pk"]
        constraints = [for_a_person_or_an_office("saved_for_a_person_or_an_office")]

    def __str__(self) -> str:
        return self.name
