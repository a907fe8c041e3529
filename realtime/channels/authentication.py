"""Authenticate a socket: which user its session, token or signed data belong to, now and on every later check."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import parse_cookie
from django.http.request import HttpRequest, validate_host
from django.utils.http import is_same_domain
from django.utils.module_loading import import_string

from realtime.conf import config
from realtime.utils import encryption
from realtime.utils.compiled_query import CompiledQuery

Scope = Mapping[str, Any]

SESSION_KEY = re.compile(r"[a-z0-9]{1,40}")


@dataclass(frozen=True)
class Credentials:
    """What authenticates a socket: a session, a bearer token, or a user id that another back end signed."""

    session_key: str | None = None
    token: str | None = None
    user_id: str | None = None

    def load_user(self) -> AbstractBaseUser | None:
        """Read the user; None once the session or token has ended, or the account is inactive."""
        if self.session_key is not None:
            return user_of_session(self.session_key)
        if self.token is not None:
            return user_of_token(self.token)
        if self.user_id is not None:
            return active_user(self.user_id)
        return None

    def load_user_and_expiry(self) -> tuple[AbstractBaseUser | None, datetime | None]:
        """Read the user, and when the session or token expires; None if it does not, or if that is unknown."""
        if self.session_key is not None:
            return user_and_expiry_of_session(self.session_key)
        if self.token is not None:
            return user_and_expiry_of_token(self.token)
        return self.load_user(), None

    def encrypted(self) -> str:
        """Return the session and token, encrypted for signed data: what the data allow ends with the session."""
        return encryption.encrypt(json.dumps([self.session_key, self.token]), purpose="sign-in")


ANONYMOUS = Credentials()


def from_signed_data(data: Mapping[str, Any], user_id: str) -> Credentials:
    """Return the credentials in signed data: the session of this site that they contain, else the user id."""
    sign_in = data.get("sign_in")
    if sign_in is None:
        return Credentials(user_id=user_id)
    session_key, token = json.loads(encryption.decrypt(str(sign_in), purpose="sign-in") or '["", null]')
    return Credentials(session_key, token)


def header(scope: Scope, name: bytes) -> str:
    """Return a header of the handshake, "" if it is missing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def is_cross_origin(scope: Scope) -> bool:
    """Return whether a page of another site opened this socket (RFC 6455, section 10.2).

    Pages of the requested host and of CSRF_TRUSTED_ORIGINS are ours. A socket that is known to use TLS belongs to a
    page that does too; without TLS here, a proxy that does not forward the scheme may have terminated it.
    """
    origin = header(scope, b"origin")
    if origin in ("", "null"):
        return False
    host = header(scope, b"host")
    try:
        if any(_covers(trusted, origin) for trusted in settings.CSRF_TRUSTED_ORIGINS):
            return False
        page, is_encrypted = urlsplit(origin), scope.get("scheme") in ("wss", "https")
        return page.netloc != host or not _is_allowed_host(host) or (is_encrypted and page.scheme != "https")
    except ValueError:  # not a URL
        return True


def from_handshake(scope: Scope) -> Credentials:
    """Return the bearer token or session of a handshake; a cookie without an Origin header is ignored."""
    token = _bearer(header(scope, b"authorization"))
    if token is not None:
        return Credentials(token=token)
    if header(scope, b"origin") in ("", "null"):
        return Credentials()
    try:
        cookies = parse_cookie(header(scope, b"cookie"))
    except CookieError:
        return Credentials()
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    return Credentials(session_key=key) if SESSION_KEY.fullmatch(key) else Credentials()


def from_request(request: HttpRequest) -> Credentials:
    """Return the bearer token or session of a request."""
    token = _bearer(request.headers.get("Authorization", ""))
    return (
        Credentials(token=token) if token is not None else Credentials(session_key=request.session.session_key or "")
    )


def _bearer(authorization: str) -> str | None:
    """Return the token of an Authorization header (RFC 6750, section 2.1), or None."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def user_of_session(session_key: str) -> AbstractBaseUser | None:
    """Return the active user of a session, by Django's own rules (the session hash included)."""
    return _user_of_store(_session_store()(session_key))


def user_and_expiry_of_session(session_key: str) -> tuple[AbstractBaseUser | None, datetime | None]:
    """Return that user, and when the session expires; no expiry if the session engine has no table."""
    store = _session_store()(session_key)
    if not hasattr(store, "get_model_class"):
        return _user_of_store(store), None
    for data, end in _unexpired_session.rows(store.get_model_class(), session_key=session_key):
        store._session_cache = store.decode(data)  # as if the store had read it
        user = _user_of_store(store)
        return user, end if user is not None else None
    return None, None


@CompiledQuery
def _unexpired_session(model: Any, *, session_key: str) -> QuerySet[Any, Any]:
    unexpired = model.objects.filter(session_key=session_key, expire_date__gt=Now())
    return cast(QuerySet[Any, Any], unexpired.values_list("session_data", "expire_date"))


def _user_of_store(store: Any) -> AbstractBaseUser | None:
    user = get_user(cast(HttpRequest, SimpleNamespace(session=store)))
    return user if isinstance(user, AbstractBaseUser) else None


def user_of_token(token: str) -> AbstractBaseUser | None:
    """Return the active user behind a bearer token."""
    return user_and_expiry_of_token(token)[0]


def user_and_expiry_of_token(token: str) -> tuple[AbstractBaseUser | None, datetime | None]:
    """Return that user and the token's expiry, in one look: asked twice, it may expire in between."""
    user, expires_at = _bearer_of(token)
    return (user, expires_at) if user is not None and user.is_active else (None, None)


def active_user(user_id: str) -> AbstractBaseUser | None:
    """Return the active user with this key, or None."""
    user = _account(user_id)
    return user if user is not None and user.is_active else None


def has_account(user_id: str) -> bool:
    """Return whether a user of this site, active or not, has this key."""
    return _account(user_id) is not None


def _session_store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _bearer_of(token: str) -> tuple[AbstractBaseUser | None, datetime | None]:
    """Return the user and the expiry of a token, by the function that REALTIME["BEARER"] names."""
    name = config().bearer
    return (import_string(name)(token) if name else None) or (None, None)


def _account(user_id: str) -> AbstractBaseUser | None:
    model = get_user_model()
    try:
        return model._default_manager.filter(pk=model._meta.pk.to_python(user_id)).first()
    except (ValidationError, ValueError):
        return None


def _covers(trusted: str, origin: str) -> bool:
    """Return whether an entry of CSRF_TRUSTED_ORIGINS, such as https://*.example.com, covers `origin`."""
    if "*" not in trusted:
        return trusted == origin
    pattern, given = urlsplit(trusted), urlsplit(origin)
    return pattern.scheme == given.scheme and is_same_domain(given.netloc, pattern.netloc.lstrip("*"))


def _is_allowed_host(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    bracketed = f"[{name}]" if ":" in name else name
    return validate_host(bracketed, settings.ALLOWED_HOSTS)
