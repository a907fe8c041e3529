from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    name = "mail"
    verbose_name = _("E-mail")

    def ready(self) -> None:
        """Connect the receivers."""
        from mail.inbound import receivers as inbound  # noqa: F401
        from mail.outbound import receipts, receivers  # noqa: F401
