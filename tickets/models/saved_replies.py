"""Texts that staff reuse in replies."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Office
from accounts.text.lines import validate_line
from tickets.models.tickets import MAX_MESSAGE


class SavedReply(models.Model):
    """A text with variables, for one person, the agents of an office, or all staff."""

    name = models.CharField(_("name"), max_length=80, validators=[validate_line])
    text = models.TextField(_("text"), max_length=MAX_MESSAGE)
    # At most one of the two is set; without both it is for all staff.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    office = models.ForeignKey(
        Office, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("office")
    )
    # How often it was inserted.
    uses = models.PositiveIntegerField(_("uses"), default=0, editable=False)

    class Meta:
        verbose_name = _("saved reply")
        verbose_name_plural = _("saved replies")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(owner=None) | Q(office=None), name="saved_for_a_person_or_an_office")
        ]

    def __str__(self) -> str:
        return self.name
