"""Mailboxes: addresses at which an office receives mail."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.lines import validate_line
from accounts.models import Office


class Mailbox(models.Model):
    """An address of an office. What it receives becomes tickets of the office, or replies."""

    class UnknownSenders(models.TextChoices):
        """What happens to mail from people without an account."""

        ACCEPT = "accept", _("Accept: they become customers")
        HOLD = "hold", _("Hold until an admin approves")

    address = models.EmailField(_("email address"), unique=True)
    office = models.ForeignKey(Office, models.PROTECT, related_name="mailboxes", verbose_name=_("office"))
    is_active = models.BooleanField(_("active"), default=True)
    unknown_senders = models.CharField(
        _("unknown senders"), max_length=6, choices=UnknownSenders.choices, default=UnknownSenders.ACCEPT
    )
    authserv_id = models.CharField(
        _("name of the receiving server"),
        max_length=253,
        blank=True,
        validators=[validate_line],
        help_text=_(
            "The first word of the Authentication-Results header that your mail server adds, such as mx.example.com. "
            "Without it no sender is verified, and every message opens a new ticket."
        ),
    )
    blocked_senders = models.TextField(
        _("blocked senders"),
        blank=True,
        help_text=_("One address or domain per line. Their messages are kept, and open no tickets."),
    )

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        ordering = ["address"]

    def __str__(self) -> str:
        return self.address

    def save(self, *args: object, **kwargs: object) -> None:
        """Save the address in lower case: mail arrives under any."""
        self.address = self.address.lower()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def blocks(self, email: str) -> bool:
        """Return whether the sender or their domain is in the list."""
        domain = email.rpartition("@")[2]
        blocked = {line.strip().lower().removeprefix("@") for line in self.blocked_senders.splitlines()}
        return not blocked.isdisjoint((email.lower(), domain.lower()))
