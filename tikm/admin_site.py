"""The project's admin site, without pages that bypass the policies."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver


class ProjectAdminSite(AdminSite):
    """Django's admin, which uses the site's own account pages."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Remove the redirect from a key to a page: it reveals which objects exist."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Redirect to the account page, which limits guesses and ends other sessions."""
        return redirect("account_change_password")


class ProjectAdminConfig(AdminConfig):
    """Makes `ProjectAdminSite` the admin."""

    default_site = "tikm.admin_site.ProjectAdminSite"
