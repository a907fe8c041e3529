"""Who mails are from: an office, else the site, else DEFAULT_FROM_EMAIL."""

from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from typing import Self

from django.conf import settings

from accounts.mails.logos import Logo, logo_of
from accounts.models import DeskSettings, Office


@dataclass(frozen=True)
class Sender:
    """The sender of a mail, and what its text says of them."""

    name: str
    address: str
    signature: str
    site_name: str
    logo: Logo | None

    @classmethod
    def of(cls, office: Office | None) -> Self:
        """Return the sender of mails about an office's tickets. An internal office is not named to customers."""
        site = DeskSettings.current()
        name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
        levels = [site] if office is None or office.is_internal else [office, site]
        found = {
            field: next((value for level in levels if (value := getattr(level, field))), "")
            for field in ("sender_name", "sender_address", "signature")
        }
        return cls(
            found["sender_name"] or name or site.site_name,
            found["sender_address"] or address,
            found["signature"],
            site.site_name,
            logo_of(office if levels[0] is office else None),
        )

    def __str__(self) -> str:
        """Return it as in a header."""
        return formataddr((self.name, self.address))
