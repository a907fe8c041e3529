from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets")

    def ready(self) -> None:
        """Connect the receivers and the check; after the first migration, create default statuses and priorities."""
        from tickets import broadcasts, closing, files, timeline  # noqa: F401
        from tickets.configuration.defaults import install_defaults
        from tickets.files.types import check_allowed_types
        from tickets.notifications import receivers  # noqa: F401
        from tickets.people import handover, membership  # noqa: F401
        from tickets.reports import percentiles  # noqa: F401
        from tickets.search import indexing  # noqa: F401

        register(check_allowed_types)
        post_migrate.connect(install_defaults, sender=self, dispatch_uid="tickets.configuration.defaults")
