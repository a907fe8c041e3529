"""Idempotency-Key: a request that is sent again, because its answer was lost, makes nothing twice.

After the draft of the IETF's HTTP API group: the same key with another body is refused with 422.
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

Made = TypeVar("Made")

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,255}")
RETENTION = timedelta(days=1)


class KeyReused(APIException):  # type: ignore[misc]
    """The key came with another request before."""

    status_code = 422
    default_detail = _("This Idempotency-Key was already used for a different request. Use a new one.")
    default_code = "key_reused"


class Gone(APIException):  # type: ignore[misc]
    """What the first request made is not there any more."""

    status_code = 410
    default_detail = _("The resource created by this request has been deleted.")
    default_code = "gone"


@transaction.atomic
def create_once(
    request: Request, *, said: bytes, make: Callable[[], tuple[UUID, Made]], find: Callable[[UUID], Made | None]
) -> tuple[Made, bool]:
    """Make something, or find what the same request made before; say which. What fails leaves the key unused."""
    key = request.headers.get(HEADER)
    if key is None:
        return make()[1], False
    if not KEY.fullmatch(key):
        raise InvalidParameter(
            {HEADER: [gettext("The key must have 1 to 255 printable ASCII characters.")]}, place="header"
        )
    IdempotencyKey.objects.filter(user=request.user, created_at__lt=timezone.now() - RETENTION).delete()
    fingerprint = hashlib.sha256(f"{request.path} ".encode() + said).hexdigest()
    # Of two at once the second one waits here, for the unique key, until the first one has committed.
    row, is_new = IdempotencyKey.objects.get_or_create(
        user=request.user, key=key, defaults={"fingerprint": fingerprint}
    )
    if is_new:
        row.result_id, made = make()
        row.save(update_fields=["result_id"])
        return made, False
    return _found(row, fingerprint, find), True


def _found(row: IdempotencyKey, fingerprint: str, find: Callable[[UUID], Made | None]) -> Made:
    if row.fingerprint != fingerprint:
        raise KeyReused
    found = find(row.result_id) if row.result_id is not None else None
    if found is None:
        raise Gone
    return found


def canonical_body(request: Request) -> bytes:
    """Return what a JSON body says, whatever the order of its fields and its white space."""
    return json.dumps(request.data, sort_keys=True).encode()
