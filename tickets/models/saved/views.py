"""Filters of the ticket list that staff keep under a name."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.text.lines import validate_line
from tickets.models.saved.shared import Shared, for_a_person_or_an_office

MAX_QUERY = 2000  # characters


class SavedView(Shared):
    """Filters, search and order of the ticket list, for one person, the agents of an office, or all staff."""

    name = models.CharField(_("name"), max_length=60, validators=[validate_line])
    # As in the list's address, with keys instead of names: `FilterForm.query`.
    query = models.CharField(_("filters"), max_length=MAX_QUERY, blank=True)
    # Among those for the same readers.
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("view")
        verbose_name_plural = _("views")
        ordering = ["order", "name", "pk"]
        constraints = [for_a_person_or_an_office("view_for_a_person_or_an_office")]

    def __str__(self) -> str:
        return self.name
