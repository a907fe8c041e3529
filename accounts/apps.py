"""The application `accounts`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """People, offices, sign-in."""

    name = "accounts"
    verbose_name = _("People and offices")

    def ready(self) -> None:
        """Connect the receivers."""
        from accounts import receivers  # noqa: F401
