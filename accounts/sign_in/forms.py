"""Forms of the pages before sign-in, in place of allauth's (ACCOUNT_FORMS)."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.fields import PasswordField
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import email_addresses
from accounts.models import User
from accounts.sign_in import sign_ups


class SignupForm(AllauthSignupForm):  # type: ignore[misc]
    """Creates an account; the answer and the work are the same for an address that has one."""

    cleaned_data: dict[str, Any]
    account_already_exists: bool

    def validate_unique_email(self, email: str) -> str:
        """Note whether the address is taken. Only where addresses are not confirmed, that is an error."""
        self.account_already_exists = sign_ups.is_taken(email)
        if self.account_already_exists and settings.ACCOUNT_EMAIL_VERIFICATION != EmailVerificationMethod.MANDATORY:
            raise get_adapter().validation_error("email_taken")
        return email

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Save, and hash the password exactly once in any case: hashing takes longer than everything else."""
        if self.account_already_exists:
            User().set_password(self.cleaned_data["password1"])
            return self._pretend(request)
        try:
            with transaction.atomic():
                return self.save(request), None
        except IntegrityError:  # the same sign-up was sent twice at once
            return self._pretend(request)

    def save(self, request: HttpRequest) -> User:
        """Create the user, or replace an unconfirmed sign-up.

        Its rows stay: the link that was sent to the address keeps working, and asks for the new password.
        """
        email = self.cleaned_data["email"]
        earlier = sign_ups.unconfirmed_users().select_for_update().filter(email__iexact=email).first()
        user: User = self._replace(request, earlier) if earlier else super().save(request)
        # allauth makes none if a user has added the address to another account.
        EmailAddress.objects.get_or_create(user=user, email=email, defaults={"primary": True})
        return user

    def _replace(self, request: HttpRequest, user: User) -> User:
        user.set_password(self.cleaned_data["password1"])
        user.date_joined = timezone.now()
        user.save()
        self.custom_signup(request, user)
        return user

    def _pretend(self, request: HttpRequest) -> tuple[None, HttpResponse]:
        """Answer as to a new address, and send a mail that there is an account."""
        if settings.ACCOUNT_EMAIL_VERIFICATION != EmailVerificationMethod.MANDATORY:
            return None, redirect("account_login")
        self.account_already_exists = True
        _user, response = super().try_save(request)
        return None, response


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]
    """Asks for the address to send a link for a new password to."""

    users: list[User]

    def clean_email(self) -> str:
        """Find the user; an address that was added and never confirmed finds none."""
        email: str = super().clean_email()
        self.users = [user for user in self.users if email_addresses.may_reset_password(user, email)]
        return email


class ConfirmAddressForm(forms.Form):
    """Asks for the password of the account that an address is confirmed for."""

    password = PasswordField(label=_("Password"), autocomplete="current-password", show_reset_help=True)

    def __init__(self, data: Any = None, *, request: HttpRequest, address: EmailAddress) -> None:
        super().__init__(data)
        self.request = request
        self.address = address

    def clean_password(self) -> str:
        """Check the password with the limits of a sign-in."""
        password: str = self.cleaned_data["password"]
        adapter = get_adapter(self.request)
        user = adapter.authenticate(self.request, email=self.address.email, password=password)
        if user is None or user.pk != self.address.user_id:
            raise adapter.validation_error("incorrect_password")
        return password
