"""Sign-in through an OpenID Connect provider: whose account it is, and the role and offices that its groups give.

Accounts are found by `sub`, else by an address that the provider has verified. Of what the provider says, only
`sub` is stored.
"""

import logging
from typing import Any, NoReturn

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import policies
from accounts.customers import find_by_address, valid_name
from accounts.invitations import services as invitations
from accounts.models import Office, User
from accounts.sign_in import sign_ups

PROVIDER_ID = "sso"  # in addresses and in the accounts of allauth
# In the data of a UserSession: the provider's own session, which a logout token names.
SESSION_ID = "oidc_sid"

logger = logging.getLogger(__name__)


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Decides which account a sign-in at the provider opens."""

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Fill in a new user, and keep the claims apart from what is stored."""
        found = sociallogin.account.extra_data
        sociallogin.claims = {**found.get("id_token", {}), **found.get("userinfo", {})}
        sociallogin.account.extra_data = {}
        user: User = sociallogin.user
        user.email = (data.get("email") or "").lower()
        user.name = valid_name(data.get("name") or "", user.email)
        return user

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """Return the user with an address that the provider has verified, which then is verified here too."""
        for address in sociallogin.email_addresses:
            user = find_by_address(address.email) if address.verified else None
            if user is not None and not sign_ups.unconfirmed_users().filter(pk=user.pk).exists():
                EmailAddress.objects.filter(user=user, email__iexact=address.email).update(verified=True)
                return user, address.email
        return None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Set role and offices of the account, or make sure that a new one can have the address."""
        sociallogin.state[SESSION_ID] = sociallogin.claims.get("sid", "")
        if sociallogin.is_existing:
            apply_groups(sociallogin.user, sociallogin.claims)
        elif not sociallogin.user.email:
            _refuse(request, _("%(provider)s didn't share an email address, which is needed here."))
        elif sign_ups.is_taken(sociallogin.user.email):
            _refuse(request, _("There is an account with your email address. Sign in with its password."))
        elif _has_verified_address(sociallogin):
            sign_ups.discard_others(sociallogin.user.email, than=sociallogin.user)

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: None = None) -> User:
        """Create the account, with the role of an open invitation if the provider has verified the address."""
        user: User = super().save_user(request, sociallogin, form)
        if _has_verified_address(sociallogin):
            invitations.accept_by_address(user)
        apply_groups(user, sociallogin.claims)
        return user

    def on_authentication_error(self, request: HttpRequest, provider: Any, **details: Any) -> NoReturn:
        """Return to the sign-in page with a sentence."""
        raise ImmediateHttpResponse(failed(request, details["exception"] or details["error"]))

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("profile")


def _has_verified_address(sociallogin: SocialLogin) -> bool:
    email = sociallogin.user.email
    return any(address.verified and address.email.lower() == email for address in sociallogin.email_addresses)


def failed(request: HttpRequest, cause: Any) -> HttpResponse:
    """Lead back to the sign-in page with a sentence; the log has the cause."""
    logger.warning("sign-in at the OpenID Connect provider failed: %r", cause)
    return _back(request, _("Signing in with %(provider)s didn't work. Try again, or use your password."))


def _refuse(request: HttpRequest, sentence: str) -> NoReturn:
    raise ImmediateHttpResponse(_back(request, sentence))


def _back(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence % {"provider": settings.OIDC["name"]})
    return redirect("account_login")


def remember_session(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Remember the provider's session at ours."""
    if found := sociallogin.state.get(SESSION_ID):
        session = UserSession.objects.get(session_key=request.session.session_key)
        session.data[SESSION_ID] = found
        session.save(update_fields=["data"])


@transaction.atomic
def apply_groups(user: User, claims: dict[str, Any]) -> None:
    """Set the role and the offices of `user` by their groups at the provider, as far as settings map any.

    Without the claim nothing changes: a provider that is set up wrongly must not lock every admin out.
    """
    mapping = settings.OIDC
    if not (mapping["roles"] or mapping["offices"]):
        return
    found = claims.get(mapping["groups_claim"])
    if found is None:
        logger.warning("user %s signed in without the claim %s; role unchanged", user.pk, mapping["groups_claim"])
        return
    groups = {found} if isinstance(found, str) else {str(group) for group in found}
    if mapping["roles"]:
        _set_role(user, _role_of(groups))
    if mapping["offices"]:
        names = {office for group, office in mapping["offices"] if group in groups}
        user.offices.set(Office.objects.filter(name__in=names) if user.is_agent else [])


def _role_of(groups: set[str]) -> str:
    """Return the highest role that one of the groups gives; without any, a customer's."""
    given = {role for group, role in settings.OIDC["roles"] if group in groups}
    return next((role for role in (User.Role.ADMIN, User.Role.AGENT) if role in given), User.Role.CUSTOMER)


def _set_role(user: User, role: str) -> None:
    if role == user.role:
        return
    if user.is_admin and user.is_active:
        list(User.objects.select_for_update().filter(role=User.Role.ADMIN).order_by("pk"))
        if not policies.other_admins(user).exists():
            logger.warning("user %s is the last admin and stays one, whatever the provider's groups", user.pk)
            return
    user.role = role
    user.save(update_fields=["role"])
