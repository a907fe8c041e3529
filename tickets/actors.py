"""Who changes tickets: a user, or the system with what caused it; and the way by which a message came."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class Cause(models.TextChoices):
    """What makes the system act without a user. `policies.SYSTEM_PERMISSIONS` says what each may do."""

    MAIL = "mail", _("incoming mail")
    SCHEDULE = "schedule", _("schedule")


class Source(models.TextChoices):
    """The way by which a ticket or reply was written; the admin site counts as a page."""

    PAGE = "page", _("Page")
    API = "api", _("API")
    MAIL = "mail", _("Email")


@dataclass(frozen=True)
class System:
    """The desk itself as actor."""

    cause: Cause

    def __str__(self) -> str:
        """Return the name that staff see."""
        return gettext("System (%(cause)s)") % {"cause": self.cause.label}


Actor = User | System
