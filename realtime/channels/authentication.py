"""Who a socket is: asked at the handshake, and again whenever something changed for that person."""

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
    """Where a socket's person comes from: a session of this site, a bearer token, or what a signature says."""

    session_key: str | None = None
    token: str | None = None
    user_id: str | None = None

    def person(self) -> AbstractBaseUser | None:
        """Read the person anew; None once the session or token has ended, or the account is inactive."""
        if self.session_key is not None:
            return person_of_session(self.session_key)
        if self.token is not None:
            return person_of_token(self.token)
        if self.user_id is not None:
            return active_person(self.user_id)
        return None

    def person_and_end(self) -> tuple[AbstractBaseUser | None, datetime | None]:
        """Read the person anew, and when the sign-in ends by itself; None where that is never, or unknown."""
        if self.session_key is not None:
            return person_and_end_of_session(self.session_key)
        person = self.person()
        return person, _bearer_of(self.token)[1] if person is not None and self.token is not None else None

    def sealed(self) -> str:
        """Return the sign-in for a client to carry in signed data: what the data allow ends with it."""
        return encryption.encrypt(json.dumps([self.session_key, self.token]), purpose="sign-in")


def of_signed_data(data: Mapping[str, Any], user_id: str) -> Credentials:
    """Return for whom signed data speak: a sign-in of this site that they carry, else the user whom they name."""
    sign_in = data.get("sign_in")
    if sign_in is None:
        return Credentials(user_id=user_id)
    session_key, token = json.loads(encryption.decrypt(str(sign_in), purpose="sign-in") or '["", null]')
    return Credentials(session_key, token)


def header(scope: Scope, name: bytes) -> str:
    """Return a header of the handshake, or "" where it is missing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def is_cross_origin(scope: Scope) -> bool:
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


def of_handshake(scope: Scope) -> Credentials:
    """Return whom the handshake's bearer token or cookie stands for; without an Origin a cookie proves nothing."""
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


def of_request(request: HttpRequest) -> Credentials:
    """Return the identity that a request's bearer token or session gives."""
    token = _bearer(request.headers.get("Authorization", ""))
    return (
        Credentials(token=token) if token is not None else Credentials(session_key=request.session.session_key or "")
    )


def _bearer(authorization: str) -> str | None:
    """Return the token of an Authorization header (RFC 6750, section 2.1), or None if it has none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def person_of_session(session_key: str) -> AbstractBaseUser | None:
    """Return the active user that is signed in to the session, by Django's own rules (hash included)."""
    return _signed_in_to(_session_store()(session_key))


def person_and_end_of_session(session_key: str) -> tuple[AbstractBaseUser | None, datetime | None]:
    """Return that user, and when the session expires; no end where sessions are in no table that says so."""
    store = _session_store()(session_key)
    if not hasattr(store, "get_model_class"):
        return _signed_in_to(store), None
    for data, end in _living_session.rows(store.get_model_class(), session_key=session_key):
        store._session_cache = store.decode(data)  # as if the store had read it: it tells no end of what it has read
        person = _signed_in_to(store)
        return person, end if person is not None else None
    return None, None


@CompiledQuery
def _living_session(model: Any, *, session_key: str) -> QuerySet[Any, Any]:
    living = model.objects.filter(session_key=session_key, expire_date__gt=Now())
    return cast(QuerySet[Any, Any], living.values_list("session_data", "expire_date"))


def _signed_in_to(store: Any) -> AbstractBaseUser | None:
    user = get_user(cast(HttpRequest, SimpleNamespace(session=store)))
    return user if isinstance(user, AbstractBaseUser) else None


def person_of_token(token: str) -> AbstractBaseUser | None:
    """Return the active user behind a bearer token."""
    user = _bearer_of(token)[0]
    return user if user is not None and user.is_active else None


def active_person(user_id: str) -> AbstractBaseUser | None:
    """Return the active user with this key, or None."""
    user = _account(user_id)
    return user if user is not None and user.is_active else None


def has_account(user_id: str) -> bool:
    """Say whether a user of this site, active or not, has this key."""
    return _account(user_id) is not None


def _session_store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _bearer_of(token: str) -> tuple[AbstractBaseUser | None, datetime | None]:
    """Ask the function that REALTIME["BEARER"] names whose token this is, and until when."""
    name = config().bearer
    return (import_string(name)(token) if name else None) or (None, None)


def _account(user_id: str) -> AbstractBaseUser | None:
    model = get_user_model()
    try:
        return model._default_manager.filter(pk=model._meta.pk.to_python(user_id)).first()
    except (ValidationError, ValueError):
        return None


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
