"""Idempotency-Key: a repeated request creates nothing twice (IETF draft-ietf-httpapi-idempotency-key-header).

The same key with another body is answered with 409.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from accounts.api.base import InvalidParameter
from tickets.models import IdempotencyKey

Created = TypeVar("Created")

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,255}")
RETENTION = timedelta(days=1)


class KeyReused(APIException):  # type: ignore[misc]
    """The key was used with another request before."""

    status_code = 409
    default_detail = _("This Idempotency-Key was already used for a different request. Use a new one.")
    default_code = "key_reused"


class Gone(APIException):  # type: ignore[misc]
    """The object that the first request created no longer exists."""

    status_code = 410
    default_detail = _("The resource created by this request has been deleted.")
    default_code = "gone"


@transaction.atomic
def create_once(
    request: Request,
    *,
    body: bytes,
    create: Callable[[], tuple[UUID, Created]],
    find: Callable[[UUID], Created | None],
) -> tuple[Created, bool]:
    """Create an object, or find the one that the same request created before. Return it, and True if it was found.

    `body` identifies the request. A failed request leaves the key unused.
    Raises InvalidParameter, KeyReused, Gone.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return create()[1], False
    if not KEY.fullmatch(key):
        raise InvalidParameter(
            {HEADER: [gettext("The key must have 1 to 255 printable ASCII characters.")]}, place="header"
        )
    IdempotencyKey.objects.filter(user=request.user, created_at__lt=timezone.now() - RETENTION).delete()
    fingerprint = hashlib.sha256(f"{request.path} ".encode() + body).hexdigest()
    # Of two concurrent requests the second one waits here, on the unique key, until the first one commits.
    row, is_new = IdempotencyKey.objects.get_or_create(
        user=request.user, key=key, defaults={"fingerprint": fingerprint}
    )
    if is_new:
        row.result_id, created = create()
        row.save(update_fields=["result_id"])
        return created, False
    return _found(row, fingerprint, find), True


def _found(row: IdempotencyKey, fingerprint: str, find: Callable[[UUID], Created | None]) -> Created:
    if row.fingerprint != fingerprint:
        raise KeyReused
    found = find(row.result_id) if row.result_id is not None else None
    if found is None:
        raise Gone
    return found


def canonical_body(request: Request) -> bytes:
    """Return the JSON body with sorted keys and normalised white space."""
    return json.dumps(request.data, sort_keys=True).encode()
