"""Values that admins manage: statuses, priorities and tags."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.text.lines import validate_line

hex_color = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Enter a colour as #rrggbb."))


class Choice(models.Model):
    """A named, coloured, ordered value that admins manage."""

    name = models.CharField(_("name"), max_length=40, unique=True, validators=[validate_line])
    color = models.CharField(_("colour"), max_length=7, validators=[hex_color])
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    is_default = models.BooleanField(_("default"), default=False, help_text=_("Default for new tickets."))

    class Meta:
        abstract = True
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def default(cls) -> Self:
        """Return the value of new tickets: the default, else the first one. Raises LookupError if there is none."""
        return cls._default_manager.order_by("-is_default", "order").first() or cls._missing()

    @classmethod
    def _missing(cls) -> Self:
        raise LookupError(f"There is no {cls._meta.verbose_name}: create one in the admin.")


class Status(Choice):
    """The status of a ticket, such as Open or Closed."""

    is_closed = models.BooleanField(_("closed"), default=False, help_text=_("Counts as closed."))
    awaits_customer = models.BooleanField(
        _("waiting for the customer"),
        default=False,
        help_text=_("When the customer replies, the ticket returns to the default status."),
    )

    class Meta(Choice.Meta):
        verbose_name = _("status")
        verbose_name_plural = _("statuses")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_status"),
            # A closed status reopens at the customer's reply anyway.
            models.CheckConstraint(
                condition=Q(is_closed=False) | Q(awaits_customer=False),
                name="closed_awaits_no_customer",
                violation_error_message=_("A closed status can't wait for the customer."),
            ),
        ]

    @property
    def ends_with_reply(self) -> bool:
        """Whether a reply of the customer ends it."""
        return self.is_closed or self.awaits_customer

    @classmethod
    def closing(cls) -> "Status | None":
        """Return the first closed status."""
        return cls.objects.filter(is_closed=True).first()

    @classmethod
    def holding(cls) -> "Status | None":
        """Return the first status that waits for the customer."""
        return cls.objects.filter(awaits_customer=True).first()

    @classmethod
    def after_reply(cls) -> "Status | None":
        """Return the status after a reply of the customer: the default, or the first one that staff work on.

        None if every status is closed or waits for the customer.
        """
        worked_on = cls.objects.filter(is_closed=False, awaits_customer=False)
        return worked_on.order_by("-is_default", "order", "pk").first()


class Priority(Choice):
    """The urgency of a ticket."""

    class Meta(Choice.Meta):
        verbose_name = _("priority")
        verbose_name_plural = _("priorities")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_priority")
        ]


class TagColor(models.TextChoices):
    """The colours of tags; the stylesheet has a tone of each for both themes."""

    GRAY = "gray", _("Gray")
    RED = "red", _("Red")
    ORANGE = "orange", _("Orange")
    AMBER = "amber", _("Amber")
    GREEN = "green", _("Green")
    TEAL = "teal", _("Teal")
    BLUE = "blue", _("Blue")
    INDIGO = "indigo", _("Indigo")
    PURPLE = "purple", _("Purple")
    PINK = "pink", _("Pink")


class Tag(models.Model):
    """A coloured word that staff sort tickets by. Customers never see one."""

    name = models.CharField(_("name"), max_length=40, validators=[validate_line])
    color = models.CharField(_("colour"), max_length=8, choices=TagColor.choices, default=TagColor.GRAY)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = [Lower("name"), "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="one_tag_of_a_name",
                violation_error_message=_("There is already a tag of this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name
