"""Mailboxes: addresses at which an office receives mail."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Office
from accounts.text.lines import validate_line
from realtime.utils import encryption

PURPOSE = "mail.imap"


class Mailbox(models.Model):
    """An address of an office. What it receives becomes tickets of the office, or replies."""

    class UnknownSenders(models.TextChoices):
        """What happens to mail from people without an account."""

        ACCEPT = "accept", _("Accept: they become customers")
        HOLD = "hold", _("Hold until an admin approves")

    class Security(models.TextChoices):
        """How the connection to the IMAP server is encrypted."""

        TLS = "tls", "TLS"
        STARTTLS = "starttls", "STARTTLS"
        NONE = "none", _("None")

    class SpamFilter(models.TextChoices):
        """The spam filter whose headers count: see mail.inbound.parsing.spam."""

        NONE = "", _("None, or not known")
        SPAMASSASSIN = "spamassassin", "SpamAssassin (X-Spam-Flag, X-Spam-Status)"
        RSPAMD = "rspamd", "Rspamd (X-Spam)"
        EXCHANGE = "exchange", "Exchange, Microsoft 365 (SCL)"

    address = models.EmailField(_("email address"), unique=True)
    office = models.ForeignKey(Office, models.PROTECT, related_name="mailboxes", verbose_name=_("office"))
    is_active = models.BooleanField(_("active"), default=True)
    unknown_senders = models.CharField(
        _("unknown senders"), max_length=6, choices=UnknownSenders.choices, default=UnknownSenders.ACCEPT
    )
    adds_unknown_copies = models.BooleanField(
        _("add unknown people in copy"),
        default=False,
        help_text=_(
            "People in copy (Cc) of a verified message take part in its ticket: always those with an account."
        ),
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
    spam_filter = models.CharField(
        _("spam filter of the receiving server"),
        max_length=12,
        choices=SpamFilter.choices,
        blank=True,
        default=SpamFilter.NONE,
        db_default=SpamFilter.NONE,
        help_text=_(
            "What it calls spam is held until an admin delivers it. Choose one only if your mail server sets these "
            "headers itself, and removes those that come with a message."
        ),
    )
    blocked_senders = models.TextField(
        _("blocked senders"),
        blank=True,
        help_text=_("One address or domain per line. Their messages are kept, and open no tickets."),
    )

    imap_host = models.CharField(
        _("IMAP server"),
        max_length=253,
        blank=True,
        help_text=_("Leave empty if the mail server runs receive_mail. No other program may read this mailbox."),
    )
    imap_port = models.PositiveIntegerField(_("IMAP port"), default=993)
    imap_security = models.CharField(_("encryption"), max_length=8, choices=Security.choices, default=Security.TLS)
    imap_username = models.CharField(_("user name"), max_length=254, blank=True)
    # Encrypted; see `imap_password`.
    imap_secret = models.TextField(blank=True, editable=False)
    imap_error = models.CharField(_("last error"), max_length=300, blank=True, editable=False)
    imap_checked_at = models.DateTimeField(_("last checked"), null=True, editable=False)

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

    @property
    def imap_password(self) -> str:
        """The password of the IMAP server; empty if SECRET_KEY has changed since it was set."""
        return encryption.decrypt(self.imap_secret, purpose=PURPOSE) or ""

    @imap_password.setter
    def imap_password(self, password: str) -> None:
        self.imap_secret = encryption.encrypt(password, purpose=PURPOSE)

    def blocks(self, email: str) -> bool:
        """Return whether the sender or their domain is in the list."""
        domain = email.rpartition("@")[2]
        blocked = {line.strip().lower().removeprefix("@") for line in self.blocked_senders.splitlines()}
        return not blocked.isdisjoint((email.lower(), domain.lower()))
