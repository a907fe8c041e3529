"""Who a socket is: asked at the handshake, and again whenever something changed for that person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import parse_cookie
from django.http.request import HttpRequest, validate_host
from django.utils.http import is_same_domain

Scope = Mapping[str, Any]

SESSION_KEY = re.compile(r"[a-z0-9]{1,40}")


@dataclass(frozen=True)
class Identity:
    """Where a socket's person comes from: a session of this site, or the signed data of a subscription."""

    session_key: str | None = None
    user_id: str | None = None

    def person(self) -> AbstractBaseUser | None:
        """Read the person anew; None once the session has ended or the account is inactive."""
        if self.session_key is not None:
            return person_of_session(self.session_key)
        if self.user_id is not None:
            return active_person(self.user_id)
        return None


def header(scope: Scope, name: bytes) -> str:
    """Return a header of the handshake, or "" where it is missing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def is_foreign(scope: Scope) -> bool:
    """Say whether a page of another site opened this socket (RFC 6455, section 10.2).

    Ours are the pages of the host asked for, and those of CSRF_TRUSTED_ORIGINS. The scheme is not compared: behind a
    proxy that ends TLS it is unknown here.
    """
    origin = header(scope, b"origin")
    if origin in ("", "null"):
        return False
    host = header(scope, b"host")
    try:
        if any(_covers(trusted, origin) for trusted in settings.CSRF_TRUSTED_ORIGINS):
            return False
        return urlsplit(origin).netloc != host or not _is_ours(host)
    except ValueError:  # neither is an address
        return True


def of_handshake(scope: Scope) -> Identity:
    """Return the identity that the handshake's cookie gives; without an Origin a cookie proves nothing."""
    if header(scope, b"origin") in ("", "null"):
        return Identity()
    try:
        cookies = parse_cookie(header(scope, b"cookie"))
    except CookieError:
        return Identity()
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    return Identity(session_key=key) if SESSION_KEY.fullmatch(key) else Identity()


def person_of_session(session_key: str) -> AbstractBaseUser | None:
    """Return the active user that is signed in to the session, by Django's own rules (hash included)."""
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(cast(HttpRequest, SimpleNamespace(session=store)))
    return user if isinstance(user, AbstractBaseUser) else None


def active_person(user_id: str) -> AbstractBaseUser | None:
    """Return the active user with this key, or None."""
    model = get_user_model()
    try:
        user = model._default_manager.filter(pk=model._meta.pk.to_python(user_id)).first()
    except (ValidationError, ValueError):
        return None
    return user if user is not None and user.is_active else None


def _covers(trusted: str, origin: str) -> bool:
    """Say whether an entry of CSRF_TRUSTED_ORIGINS, such as https://*.example.com, covers `origin`."""
    if "*" not in trusted:
        return trusted == origin
    pattern, given = urlsplit(trusted), urlsplit(origin)
    return pattern.scheme == given.scheme and is_same_domain(given.netloc, pattern.netloc.lstrip("*"))


def _is_ours(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    bracketed = f"[{name}]" if ":" in name else name
    return validate_host(bracketed, settings.ALLOWED_HOSTS)
