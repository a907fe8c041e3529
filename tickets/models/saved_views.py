"""Filters of the ticket list that staff keep under a name."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Office
from accounts.text.lines import validate_line

MAX_QUERY = 2000  # characters


class SavedView(models.Model):
    """Filters, search and order of the ticket list, for one person, the agents of an office, or all staff."""

    name = models.CharField(_("name"), max_length=60, validators=[validate_line])
    # As in the list's address, with keys instead of names: `FilterForm.query`.
    query = models.CharField(_("filters"), max_length=MAX_QUERY, blank=True)
    # At most one of the two is set; without both it is for all staff.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    office = models.ForeignKey(
        Office, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("office")
    )
    # Among those for the same readers.
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("view")
        verbose_name_plural = _("views")
        ordering = ["order", "name", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(owner=None) | Q(office=None), name="view_for_a_person_or_an_office")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def readers(self) -> tuple[object, object]:
        """Who it is for: views are ordered among those for the same readers."""
        return self.owner_id, self.office_id
