"""Logout tokens by which an OpenID Connect provider ends sessions here (OpenID Connect Back-Channel Logout 1.0)."""

import time
from functools import lru_cache
from typing import Any, Final

import jwt
import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.cache import cache

from accounts.sign_in import sessions
from accounts.sign_in.openid_connect import PROVIDER_ID, SESSION_ID

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
# Signatures by a key of the provider's own; never `none`, nor a secret that two share.
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
CACHED: Final = 300  # seconds, for the provider's configuration and keys
MAX_AGE: Final = 300  # seconds since a token was issued; for as long it is remembered that it was used
LEEWAY: Final = 60  # seconds by which clocks may differ
TIMEOUT: Final = 5  # seconds


class InvalidLogoutToken(Exception):
    """A logout token that must not be obeyed; its text says why."""


def end_sessions(token: str) -> int:
    """End the sessions that a logout token names, and their sockets; return their number. Raises InvalidLogoutToken.

    A token with `sid` ends the sessions of that one sign-in, one without it all sessions of the person.
    """
    claims = _verified(token)
    ended = UserSession.objects.all()
    if "sub" in claims:
        accounts = SocialAccount.objects.filter(provider=PROVIDER_ID, uid=claims["sub"])
        ended = ended.filter(user__in=accounts.values("user"))
    if "sid" in claims:
        ended = ended.filter(**{f"data__{SESSION_ID}": claims["sid"]})
    found = list(ended)
    sessions.end_sessions(found)
    return len(found)


def _verified(token: str) -> dict[str, Any]:
    try:
        claims = _decoded(token)
    except (jwt.PyJWTError, requests.RequestException, KeyError, ValueError) as error:
        raise InvalidLogoutToken(f"The token is not valid: {error}") from error
    if not isinstance(claims.get("events"), dict) or EVENT not in claims["events"] or "nonce" in claims:
        raise InvalidLogoutToken("The token is not a logout token.")
    if not ("sub" in claims or "sid" in claims):
        raise InvalidLogoutToken("The token names neither a person nor a session.")
    if claims["iat"] < time.time() - MAX_AGE:
        raise InvalidLogoutToken("The token is too old.")
    if not cache.add(f"oidc.logout.{claims['jti']}", True, timeout=MAX_AGE + 2 * LEEWAY):
        raise InvalidLogoutToken("The token was used before.")
    return claims


def _decoded(token: str) -> dict[str, Any]:
    """Return the claims of a token that the provider signed for this site (sections 2.4 and 2.6)."""
    provider: Any = cache.get_or_set(f"oidc.configuration.{settings.OIDC['issuer']}", configuration, CACHED)
    key = _keys(provider["jwks_uri"]).get_signing_key_from_jwt(token)
    found: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=ALGORITHMS,
        audience=settings.OIDC["client_id"],
        issuer=provider["issuer"],
        leeway=LEEWAY,
        options={"require": ["iss", "aud", "iat", "jti"]},
    )
    return found


@lru_cache(maxsize=1)
def _keys(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, lifespan=CACHED, timeout=TIMEOUT)


def configuration() -> dict[str, Any]:
    """Return what the provider publishes of itself (OpenID Connect Discovery 1.0). Raises RequestException."""
    with get_adapter().get_requests_session() as session:
        response = session.get(f"{settings.OIDC['issuer']}/.well-known/openid-configuration")
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found
