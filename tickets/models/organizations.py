"""Organizations of customers, and the mail domains that make people members."""

import hashlib
import json
import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.text.lines import validate_line

DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])\Z")
# Anyone gets an address there: as domains they would join strangers.
PUBLIC_DOMAINS = frozenset({
    "126.com", "163.com", "aol.com", "bluewin.ch", "duck.com", "fastmail.com", "free.fr", "freenet.de",
    "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com",
    "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr", "icloud.com", "laposte.net", "libero.it",
    "live.com", "mac.com", "mail.com", "mail.de", "mail.ru", "mailbox.org", "me.com", "msn.com", "orange.fr",
    "outlook.com", "outlook.de", "pm.me", "posteo.de", "proton.me", "protonmail.ch", "protonmail.com", "qq.com",
    "rocketmail.com", "seznam.cz", "t-online.de", "tuta.com", "tutanota.com", "wanadoo.fr", "web.de", "wp.pl",
    "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.com", "yandex.ru", "ymail.com",
    "zoho.com",
})  # fmt: skip


def validate_domain(domain: str) -> None:
    """Raise ValidationError for what is no domain of mail addresses, or one that is open to anyone."""
    if DOMAIN.match(domain.lower()) is None:
        raise ValidationError(_("Enter a domain such as example.com."))
    if domain.lower() in PUBLIC_DOMAINS:
        raise ValidationError(_("Anyone can get an address at this domain. Add these members by hand."))


class Organization(models.Model):
    """A company or another group of customers."""

    name = models.CharField(_("name"), max_length=100, unique=True, validators=[validate_line])
    members_see_tickets = models.BooleanField(
        _("members see each other's tickets"),
        default=False,
        help_text=_("They read the public conversation of these tickets, also of earlier ones, and may reply."),
    )

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def domain_names(self) -> list[str]:
        """The domains, sorted."""
        return sorted(row.domain for row in self.domains.all())

    @property
    def version(self) -> str:
        """What a form or a client has seen, domains too: a digest, since admins may edit these in several places."""
        seen = [self.name, self.members_see_tickets, self.domain_names]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


class OrganizationDomain(models.Model):
    """A mail domain: customers with a verified address at it are members."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="domains")
    domain = models.CharField(_("domain"), max_length=253, unique=True, validators=[validate_domain])

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain

    def save(self, *args: object, **kwargs: object) -> None:
        """Save the domain in lower case, as addresses are."""
        self.domain = self.domain.lower()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        """Compare domains in lower case."""
        self.domain = self.domain.lower()


class OrganizationMember(models.Model):
    """A customer in an organization: by a verified address, or by hand."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="members")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="membership", verbose_name=_("person")
    )
    # An admin's decision, which no address changes.
    is_manual = models.BooleanField(_("added by hand"), default=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.user)


class OrganizationRemoval(models.Model):
    """A person that an admin removed from an organization: no address makes them a member of it again."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="removals")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="organization_removals", verbose_name=_("person")
    )

    class Meta:
        verbose_name = _("removed person")
        verbose_name_plural = _("people removed by hand")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["organization", "user"], name="removed_once")]

    def __str__(self) -> str:
        return str(self.user)
