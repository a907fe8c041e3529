"""The files of a message, accepted as uploads are; those that are not are named."""

from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text.lines import isolated
from mail.inbound.parsing import MailFile
from tickets import files
from tickets.models import Attachment


def store(found: Sequence[MailFile], *, by: User) -> tuple[list[Attachment], list[str]]:
    """Store the files of a message of `by`; return the attachments, and a line for each file that is left out."""
    attachments: list[Attachment] = []
    left_out: list[str] = []
    with translation.override(settings.LANGUAGE_CODE):
        for file in found:
            if len(attachments) == settings.ATTACHMENT_MAX_FILES:
                left_out.append(_("%(name)s (too many files)") % {"name": isolated(file.name)})
                continue
            try:
                attachments.append(files.store(ContentFile(file.content, file.name), by=by))
            except ValidationError as error:
                left_out.append(" ".join(error.messages))
    return attachments, left_out
