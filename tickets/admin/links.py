"""Links in Django's admin."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html_join

from tickets.models import Attachment


def attachment_links(attachments: Iterable[Attachment]) -> str:
    files = ((reverse("files:download", args=[file.pk]), file.filename) for file in attachments)
    return format_html_join(", ", '<a href="{}">{}</a>', files)
