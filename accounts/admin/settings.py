"""The site's settings in Django's admin."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.admin.base import ProjectAdmin
from accounts.models import DeskSettings


@admin.register(DeskSettings)
class DeskSettingsAdmin(ProjectAdmin):
    """The single row of settings; the list redirects to it."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row, _created = DeskSettings.objects.get_or_create(pk=1)
        return redirect(reverse("admin:accounts_desksettings_change", args=[row.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
