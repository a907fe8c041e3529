"""Django's admin site without the views that bypass our policies."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver


class ProjectAdminSite(AdminSite):
    """The admin site; passwords are changed on the site's own pages."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Omit the view_on_site redirect: it reveals which objects exist."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Ask for the password again before changes of people and of what they sign in with."""
        from accounts.admin.reauthentication import reauthenticated  # imports models

        return super().admin_view(reauthenticated(view), cacheable)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Warn of overdue jobs on the first page."""
        from jobs import overdue  # imports models

        overdue.warn(request)
        return super().index(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Redirect to the profile's page, which limits attempts and ends other sessions."""
        return redirect("account_change_password")


class ProjectAdminConfig(AdminConfig):
    """Makes `ProjectAdminSite` the default admin site."""

    default_site = "tikm.admin_site.ProjectAdminSite"
