"""Forms submitted twice: the same one creates one ticket or reply; one that differs is refused, with nothing lost."""

import hashlib
import json
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from tickets.models import Attachment, Reply, Ticket

Submitted = TypeVar("Submitted", Ticket, Reply)


class AlreadySubmitted(ValidationError):
    """The form's key and text were submitted before, with other values or files."""

    code = "already_submitted"

    def __init__(self, row: Ticket | Reply) -> None:
        if isinstance(row, Ticket):
            message = _(
                "You already sent this message as ticket %(reference)s, with a different subject, office, priority "
                "or files. Send it again to open another ticket."
            ) % {"reference": row.reference}
        else:
            message = _(
                "You already sent this message, with different files or another status. "
                "Send it again to add it once more."
            )
        super().__init__(message, code=self.code)


def fingerprint(attachments: Sequence[Attachment], *values: str | int) -> str:
    """Return a SHA-256 of what a form submits beside its text. Files count by name and content."""
    sent = [[file.filename, file.size, file.sha256] for file in attachments]
    return hashlib.sha256(json.dumps([*values, sent]).encode()).hexdigest()


def state_of(reply: Reply) -> str:
    """Return a SHA-256 of what the form that edits a message shows of it: a version that counts nothing."""
    return fingerprint((), reply.message, int(reply.is_internal))


def submitted_before(rows: QuerySet[Submitted], key: UUID | None, values: str) -> Submitted | None:
    """Return the row among `rows` that an earlier submission of the form with this key created.

    `rows` have the same author and text; `values` is the fingerprint of the rest.
    Raises AlreadySubmitted if the rest differs.
    """
    found = list(rows.filter(request_key=key)) if key is not None else []
    # Rows from before fingerprints were stored have none.
    same = next((row for row in found if row.request_fingerprint in (values, None)), None)
    if found and same is None:
        raise AlreadySubmitted(found[0])
    return same
