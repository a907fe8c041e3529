"""Which files of a message go with its mail; the others are links, which need a sign-in."""

import logging
from typing import Final

from django.conf import settings

from mail.models import OutgoingMail
from tickets.models import Attachment, NotificationKind

# Others repeat what their recipient wrote, have an address that nothing proves, or go to staff, who sign in anyway.
WITH_FILES: Final = (NotificationKind.REPLY, NotificationKind.JOINED)

logger = logging.getLogger(__name__)


def files_of(mail: OutgoingMail) -> list[Attachment]:
    """Return the files of the message that the mail is about."""
    return list(mail.ticket.attachments.filter(reply=mail.reply))


def contents(mail: OutgoingMail, files: list[Attachment]) -> dict[Attachment, bytes]:
    """Return the files that go with the mail: in their order, as long as all are within MAIL_ATTACHMENT_BYTES."""
    found: dict[Attachment, bytes] = {}
    if mail.event not in WITH_FILES:
        return found
    left = settings.MAIL_ATTACHMENT_BYTES
    for attachment in files:
        if attachment.size > left:
            continue
        try:
            with attachment.file.open() as file:
                found[attachment] = file.read()
        except OSError as error:
            logger.warning("file is missing attachment=%s error=%r", attachment.pk, str(error))
        else:
            left -= attachment.size
    return found
