"""What saved replies, macros and views have in common."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Office


class Shared(models.Model):
    """A row for one person, the agents of an office, or all staff."""

    # At most one of the two is set; without both it is for all staff.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    office = models.ForeignKey(
        Office, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("office")
    )

    class Meta:
        abstract = True

    @property
    def readers(self) -> tuple[object, object]:
        """Who it is for: views are ordered among those for the same readers."""
        return self.owner_id, self.office_id


class Used(Shared):
    """A row whose uses are counted."""

    uses = models.PositiveIntegerField(_("uses"), default=0, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        abstract = True

    def count_use(self) -> None:
        """Count a use, also while others do."""
        type(self)._default_manager.filter(pk=self.pk).update(uses=F("uses") + 1, last_used_at=timezone.now())


def for_a_person_or_an_office(name: str) -> models.CheckConstraint:
    """Return the constraint that a row is not for both."""
    return models.CheckConstraint(condition=Q(owner=None) | Q(office=None), name=name)
