from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = _("Background jobs")

    def ready(self) -> None:
        """Register the tasks of all apps, and the system check."""
        import jobs.overdue  # noqa: F401

        autodiscover_modules("tasks")
