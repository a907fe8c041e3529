"""The allauth adapter."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy

from accounts import email_addresses, tasks
from accounts.mails.layout import attach_html
from accounts.mails.senders import Sender
from accounts.models import User
from accounts.sign_in import failed_attempts, known_devices, openid_connect, sessions
from accounts.sign_in.site_links import site_url

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  (a placeholder, not an address to bind)

# What a mail says about its cause.
STORED_VALUES = ("timestamp", "ip", "browser", "added_email", "deleted_email", "from_email", "to_email", "invited_by")

FIRST_STEP_KEY = "first_step"  # in the session


# The link that a mail asks its recipient to open, and what its button says.
BUTTONS: Final = {
    "activate_url": gettext_lazy("Confirm your email address"),
    "password_reset_url": gettext_lazy("Choose a new password"),
    "invitation_url": gettext_lazy("Create your account"),
    "signup_url": gettext_lazy("Create account"),
}


def _with_button(text: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the text of a mail for its HTML: what stands before and after the link with a button, if it has one."""
    for name, label in BUTTONS.items():
        before, url, after = text.partition(f"\n{values[name]}") if values.get(name) else (text, "", "")
        if url:
            return {"text": before, "url": url.strip(), "label": label, "after": after}
    return {"text": text}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Enqueues account mails, and notices to every address of a user."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address behind trusted proxies, or 0.0.0.0 if it is unknown (a Unix socket)."""
        return request.META.get("REMOTE_ADDR") or UNKNOWN_ADDRESS

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Remember the password and addresses that the first step of a sign-in was made with."""
        request.session[FIRST_STEP_KEY] = _credentials_digest(user)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in after the last step, unless the password or the addresses were changed since the first.

        A sign-in from a browser that was not used before is announced to the user, except their first one.
        """
        if request.session.pop(FIRST_STEP_KEY, None) != _credentials_digest(user):
            raise ImmediateHttpResponse(redirect("account_login"))
        is_first = user.last_login is None
        super().login(request, user)
        if not is_first and not known_devices.is_of(request, user):
            self.send_notification_mail("account/email/new_device", user)

    def post_login(self, request: HttpRequest, user: User, *, email: str | None, **kwargs: Any) -> HttpResponse:
        """Remember the browser: strangers' attempts do not count against it, and its sign-ins are not announced."""
        response: HttpResponse = super().post_login(request, user, email=email, **kwargs)
        known_devices.remember(request, response, email or user.email)
        if sociallogin := (kwargs.get("signal_kwargs") or {}).get("sociallogin"):
            openid_connect.remember_session(request, sociallogin)
        return response

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt. Raises ValidationError over the limit."""
        self._login_failed_rl_usage = failed_attempts.count_attempt(request, credentials.get("email", ""))
        if self._login_failed_rl_usage is None:
            raise self.validation_error("too_many_login_attempts")

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        failed_attempts.clear(request, credentials["email"])

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm the address, unless another user confirms the same one at this moment."""
        try:
            with transaction.atomic():
                return bool(super().confirm_email(request, email_address))
        except IntegrityError:
            return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Enqueue a mail. Its links are made when it is sent; keys and codes are not stored."""
        user = context.get("user")
        tasks.send_account_mail.enqueue(
            key=uuid4().hex,
            template=template_prefix,
            email=email,
            user_id=str(user.pk) if user else None,
            language=translation.get_language(),
            site_url=site_url(allauth_context.request),
            values={
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in context.items()
                if name in STORED_VALUES
            },
        )

    def render_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> EmailMultiAlternatives:
        """Render a mail as text and, in the look of the site, as HTML."""
        sender = Sender.of(None)
        values = {**context, "site_name": sender.site_name}
        message: EmailMultiAlternatives = super().render_mail(template_prefix, email, values, headers)
        message.from_email = str(sender)
        text = message.body.rpartition("\n--\n")[0]
        attach_html(message, "mail/account.html", _with_button(text, values), sender)
        return message

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Send a notice about a change of the account, at all their addresses, and at `email`."""
        self.send_notice(template_prefix, user, email_addresses.notified_addresses(user, email or ""), context)

    def send_notice(
        self, template_prefix: str, user: User, addresses: Iterable[str], context: dict[str, Any] | None = None
    ) -> None:
        """Send a notice in the user's language that says when and from where the change was made."""
        request = allauth_context.request
        values = {"timestamp": timezone.now(), "user": user, **(context or {})}
        if request is not None:
            # The browser's own words could be anything: only its name is repeated.
            browser = sessions.browser_name(self.get_http_user_agent(request))
            values |= {"ip": self.get_client_ip(request), "browser": browser}
        with translation.override(user.language or translation.get_language()):
            for address in addresses:
                self.send_mail(template_prefix, address, values)


def _credentials_digest(user: User) -> str:
    addresses = sorted(email_addresses.verified_addresses(user))
    return salted_hmac("accounts.first_step", "\n".join([user.password, user.email, *addresses])).hexdigest()
