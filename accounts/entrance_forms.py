"""Forms of the pages before sign-in, in place of allauth's (ACCOUNT_FORMS)."""

from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm

from accounts import email_addresses
from accounts.models import User


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]
    """Asks for the address to send a link for a new password to."""

    users: list[User]

    def clean_email(self) -> str:
        """Find the user; an address that someone added and never confirmed finds none."""
        email: str = super().clean_email()
        self.users = [user for user in self.users if email_addresses.may_reset_password(user, email)]
        return email
