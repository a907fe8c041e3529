"""Account mails. Links are made and texts rendered when the mail is sent, for what the user may do then."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse
from django.utils import translation
from django.utils.dateparse import parse_datetime

from accounts import email_addresses
from accounts.invitations import services as invitations
from accounts.models import User
from jobs import mail, task
from jobs.models import Job

Links = dict[str, str] | None  # paths by the name in the template; None if the mail must not be sent


@task(atomic=False)
def send_account_mail(job: Job, **arguments: Any) -> None:
    """Send a mail of allauth's, unless its user is gone, or it would open what it may not open any more."""
    template, to = arguments["template"], arguments["email"]
    user = User.objects.filter(pk=arguments["user_id"], is_active=True).first()
    if user is None and arguments["user_id"]:
        return
    links = LINKS.get(template, _no_links)(user, to)
    if links is None:
        return
    urls = {name: arguments["site_url"] + path for name, path in links.items()}
    values = {"user": user, "email": to, "site_url": arguments["site_url"], **_values(arguments["values"]), **urls}
    with translation.override(arguments["language"]):
        mail.deliver(job, get_adapter().render_mail(template, to, values))


def _values(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the values for the template as they were before they became JSON."""
    if "timestamp" in stored:
        return stored | {"timestamp": parse_datetime(stored["timestamp"])}
    return stored


def _no_links(user: User | None, email: str) -> Links:
    return {}


def _confirmation(user: User | None, email: str) -> Links:
    address = EmailAddress.objects.filter(user=user, email__iexact=email, verified=False).first()
    if user is None or address is None:
        return None
    return {"activate_url": reverse("account_confirm_email", args=[EmailConfirmationHMAC(address).key])}


def _password_reset(user: User | None, email: str) -> Links:
    if user is None or not email_addresses.may_reset_password(user, email):
        return None
    key = {"uidb36": user_pk_to_url_str(user), "key": PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)}
    return {"password_reset_url": reverse("account_reset_password_from_key", kwargs=key)}


def _invitation(user: User | None, email: str) -> Links:
    invitation = invitations.open_invitations().filter(email=email).first()
    if invitation is None or invitation.has_expired:
        return None
    return {"invitation_url": invitations.path_of(invitation)}


def _entrances(user: User | None, email: str) -> Links:
    return {"signup_url": reverse("account_signup"), "password_reset_url": reverse("account_reset_password")}


LINKS: dict[str, Callable[[User | None, str], Links]] = {
    "account/email/email_confirmation": _confirmation,
    "account/email/email_confirmation_signup": _confirmation,
    "account/email/invitation": _invitation,
    "account/email/password_reset_key": _password_reset,
    "account/email/account_already_exists": _entrances,
    "account/email/unknown_account": _entrances,
}
