"""Logos at the head of mails: one of the site, and of each office that has its own."""

import struct
from dataclasses import dataclass
from email.mime.image import MIMEImage
from io import BytesIO
from typing import Final, Self

import imagesize
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import MailLogo, Office

MAX_BYTES: Final = 100 * 1024  # it is in every mail
MAX_SIDE: Final = 2000  # pixels
MAX_HEIGHT, MAX_WIDTH = 40, 280  # pixels on the screen
CONTENT_ID: Final = "logo"
SIGNATURES: Final = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}


@dataclass(frozen=True)
class Logo:
    """A picture, and the size in which mails show it."""

    image: bytes
    kind: str  # png or jpeg
    width: int
    height: int

    @classmethod
    def read(cls, image: bytes) -> Self:
        """Return the logo of a file. Raises ValidationError."""
        kind = next((kind for signature, kind in SIGNATURES.items() if image.startswith(signature)), "")
        if not kind:
            raise ValidationError(_("Choose a PNG or JPEG image."))
        if len(image) > MAX_BYTES:
            raise ValidationError(_("The image is larger than 100 KB."))
        width, height = _size(image)
        if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
            raise ValidationError(_("The image is damaged, or larger than 2000 pixels."))
        scale = min(1, MAX_HEIGHT / height, MAX_WIDTH / width)
        return cls(image, kind, max(1, round(width * scale)), max(1, round(height * scale)))

    def part(self) -> MIMEImage:
        """Return it as a part of a mail, which the HTML names: no program asks our server for it."""
        part = MIMEImage(self.image, self.kind)
        part.add_header("Content-ID", f"<{CONTENT_ID}>")
        part.add_header("Content-Disposition", "inline", filename=f"logo.{self.kind}")
        return part


def logo_of(office: Office | None) -> Logo | None:
    """Return the logo of an office, else that of the site; without an office, the site's."""
    return own_logo(office) or own_logo(None) if office is not None else own_logo(None)


def own_logo(office: Office | None) -> Logo | None:
    """Return the logo that was set for an office, or for the site."""
    row = MailLogo.objects.filter(office=office).first()
    return None if row is None else Logo.read(bytes(row.image))


def set_logo(office: Office | None, image: bytes | None) -> None:
    """Set the logo of an office, or of the site; remove it with None. Raises ValidationError."""
    row = MailLogo.objects.filter(office=office).first()
    if image is not None:
        Logo.read(image)
        row = row or MailLogo(office=office)
        row.image = image
        row.save()
    elif row is not None:
        row.delete()


def _size(image: bytes) -> tuple[int, int]:
    try:
        width, height = imagesize.get(BytesIO(image))
    except (ValueError, IndexError, struct.error):
        return (0, 0)
    return int(width), int(height)
