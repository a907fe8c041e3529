"""Files of tickets and replies."""

import secrets
import uuid

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.replies import Reply
from tickets.models.tickets import Ticket

# Raster images, which cannot carry scripts. SVG can.
INLINE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def attachment_storage() -> Storage:
    """Return the storage of attachments, outside any public folder."""
    return storages["attachments"]


def unguessable_path(attachment: "Attachment", filename: str) -> str:
    """Return a random storage path, spread over 256 folders."""
    name = secrets.token_hex(32)
    return f"{name[:2]}/{name}"


class Attachment(models.Model):
    """A file of a ticket or of one of its replies. Until it is sent it belongs to its uploader only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="uploads")
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="attachments")
    reply = models.ForeignKey(Reply, models.CASCADE, null=True, related_name="attachments")
    filename = models.CharField(_("file name"), max_length=150)
    size = models.PositiveIntegerField(_("size"), help_text=_("In bytes."))
    content_type = models.CharField(_("type"), max_length=100)
    # In hexadecimal; null for files from before it was stored.
    sha256 = models.CharField(max_length=64, null=True, editable=False)
    file = models.FileField(_("file"), storage=attachment_storage, upload_to=unguessable_path, max_length=100)
    # Position among the files of one message.
    place = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["place", "created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reply__isnull=True) | Q(ticket__isnull=False), name="a_replys_file_is_its_tickets"
            )
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_image(self) -> bool:
        """Whether browsers may show it inline."""
        return self.content_type in INLINE_TYPES
