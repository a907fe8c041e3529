"""Statuses and priorities in Django's admin."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from accounts.admin.base import ProjectAdmin, StaffCanView
from tickets.forms.choices import ChoiceForm, StatusForm
from tickets.models import Priority, Status


class ChoiceAdmin(StaffCanView, ProjectAdmin):
    """Admin page of a choice: named, coloured and ordered values."""

    form = ChoiceForm
    list_display: tuple[str, ...] = ("name", "color", "order", "is_default")
    search_fields = ("name",)

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; a new default replaces the old one."""
        obj.is_default = form.is_default
        if obj.is_default:
            type(obj).objects.exclude(pk=obj.pk).update(is_default=False)
        super().save_model(request, obj, form, change)


@admin.register(Status)
class StatusAdmin(ChoiceAdmin):
    """Admin page of statuses."""

    form = StatusForm
    list_display = (*ChoiceAdmin.list_display, "is_closed", "awaits_customer")


@admin.register(Priority)
class PriorityAdmin(ChoiceAdmin):
    """Admin page of priorities."""
