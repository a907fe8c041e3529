"""Django's admin as this project joins it: without the pages that would ask none of our rules."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver


class ProjectAdminSite(AdminSite):
    """The admin; what it has in common with the desk is done on the desk."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Leave out the short cut from a key to a page: it says to everybody what there is."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Lead to the desk's page, which limits guesses and ends the other sign-ins."""
        return redirect("account_change_password")


class ProjectAdminConfig(AdminConfig):
    """Makes `DeskAdminSite` the admin."""

    default_site = "tikm.admin_site.ProjectAdminSite"
