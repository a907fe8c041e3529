"""The key with which the site identifies itself to push services (VAPID, RFC 8292)."""

import base64
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from django.conf import settings
from django.db import transaction
from py_vapid import Vapid02

from realtime.utils import encryption
from tickets.models import PushKey

PURPOSE: Final = "push.key"


def public_key() -> str:
    """Return the public key as browsers expect it."""
    point = _key().public_key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def authorization(endpoint: str) -> dict[str, str]:
    """Return the header that identifies the site to the push service of `endpoint`, for a day."""
    parts = urlsplit(endpoint)
    headers: dict[str, str] = _key().sign({"aud": f"{parts.scheme}://{parts.netloc}", "sub": _contact()})
    return headers


def _contact() -> str:
    """Return the contact for the operator of a push service: Apple's accepts https and mailto only."""
    site = settings.SITE_URL
    return site if site.startswith("https:") else f"mailto:{settings.SERVER_EMAIL}"


@transaction.atomic
def _key() -> Any:
    """Return the key; make one if there is none, or if SECRET_KEY has changed since."""
    row = PushKey.objects.first()
    text = None if row is None else encryption.decrypt(row.sealed, purpose=PURPOSE)
    if text is not None:
        return Vapid02.from_pem(text.encode())
    key = Vapid02()
    key.generate_keys()
    sealed = encryption.encrypt(key.private_pem().decode(), purpose=PURPOSE)
    if row is not None:
        PushKey.objects.filter(sealed=row.sealed).update(sealed=sealed)
    made, is_new = PushKey.objects.get_or_create(pk=1, defaults={"sealed": sealed})
    return key if is_new else Vapid02.from_pem(str(encryption.decrypt(made.sealed, purpose=PURPOSE)).encode())
