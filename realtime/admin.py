"""Admin pages: the event log, and live connections."""

from typing import TYPE_CHECKING, Any

from django.apps.registry import Apps
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from realtime.broadcasting import ephemeral
from realtime.models import Broadcast
from realtime.monitoring.connections import read_connections, users_by_key
from realtime.presence.store import SocketReport, presence_store
from realtime.signals import user_disconnected
from realtime.utils.circuit_breaker import ServiceUnavailable

if TYPE_CHECKING:  # generic for the type checker only
    _BroadcastAdmin = admin.ModelAdmin[Broadcast]
    _ConnectionAdmin = admin.ModelAdmin["Connection"]
else:
    _BroadcastAdmin = _ConnectionAdmin = admin.ModelAdmin


class ReadOnly:
    """Denies adding, changing and deleting in the admin."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Deny adding."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deny changing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deny deleting; `prune_broadcasts` trims the log."""
        return False


@admin.register(Broadcast)
class BroadcastAdmin(ReadOnly, _BroadcastAdmin):
    """The event log: each event with its payloads and its replay authorization channel."""

    list_display = ("created_at", "event", "guard", "event_id")
    list_filter = ("event",)
    search_fields = ("event", "guard", "event_id")
    date_hierarchy = "created_at"
    fields = readonly_fields = ("created_at", "event", "event_id", "guard", "public", "staff")
    show_full_result_count = False


class Connection(models.Model):
    """A model without a table: it gives the page of live connections its URL and permission in the admin."""

    class Meta:
        apps = Apps()  # a registry of its own: no migrations, no content type
        app_label = "realtime"
        managed = False
        verbose_name = gettext_lazy("live connection")
        verbose_name_plural = gettext_lazy("live connections")

    def __str__(self) -> str:
        """Return an empty text: there are no instances."""
        return ""


@admin.register(Connection)
class ConnectionAdmin(ReadOnly, _ConnectionAdmin):
    """The page of live connections, for users who may view them (superusers by default)."""

    def get_urls(self) -> list[URLPattern]:
        """Return the URLs of the page, and of the confirmation before a user is disconnected."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="realtime_connection_changelist"),
            path("people/<str:key>/", view(self.user_view), name="realtime_connection_person"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the live connections. A POST with a socket id closes that connection."""
        self._require_permission(request)
        if request.method == "POST":
            _disconnect_socket(request, request.POST.get("socket", ""))
            return redirect("admin:realtime_connection_changelist")
        is_part = request.headers.get("X-Part") == "live"
        template = "admin/realtime/connection/_live.html" if is_part else "admin/realtime/connection/live.html"
        context = {} if is_part else self._page_context(request, _("Live connections"))
        response = TemplateResponse(request, template, context | _live_context(request.GET.get("q", "")))
        patch_vary_headers(response, ["X-Part"])
        return response

    def user_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Confirm that a user is to be signed out and disconnected; a POST does it."""
        self._require_permission(request)
        user = users_by_key([key]).get(key)
        if user is None:
            raise Http404
        if request.method == "POST":
            disconnect_user(user, by=request.user)
            messages.success(request, _("%(name)s was signed out everywhere and disconnected.") % {"name": user})
            return redirect("admin:realtime_connection_changelist")
        context = self._page_context(request, _("Disconnect %(name)s?") % {"name": user})
        return TemplateResponse(request, "admin/realtime/connection/person.html", context | {"person": user})

    def _require_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page_context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "media": self.media}


@transaction.atomic
def disconnect_user(user: AbstractBaseUser, *, by: Any) -> None:
    """End the user's sessions, then close their connections on every process."""
    user_disconnected.send(type(user), user=user, by=by)
    ephemeral.disconnect(users=[str(user.pk)])
    _log_action(_("Signed out everywhere and disconnected."), user=user, by=by)


def _disconnect_socket(request: HttpRequest, socket_id: str) -> None:
    """Close a connection, with a code after which its client does not reconnect by itself."""
    found = next((each for each in _sockets() if each.socket_id == socket_id), None)
    if found is None:
        messages.warning(request, _("This connection is already closed."))
        return
    user = users_by_key([found.user_id]).get(found.user_id or "")
    with transaction.atomic():
        ephemeral.disconnect(sockets=[socket_id])
        _log_action(_("Connection %(id)s closed.") % {"id": socket_id}, user=user, by=request.user)
    name = user or _("an anonymous visitor")
    messages.success(request, _("A connection of %(name)s was closed.") % {"name": name})


def _sockets() -> list[SocketReport]:
    try:
        return presence_store().sockets()
    except ServiceUnavailable:
        return []


def _log_action(text: str, *, user: AbstractBaseUser | None, by: Any) -> None:
    """Add an entry to the admin's history."""
    LogEntry.objects.create(
        user_id=by.pk,
        content_type=ContentType.objects.get_for_model(get_user_model()) if user is not None else None,
        object_id=None if user is None else str(user.pk),
        object_repr=str(user or _("Anonymous"))[:200],
        action_flag=CHANGE,
        change_message=text,
    )


def _live_context(query: str) -> dict[str, Any]:
    """Return the context of the live part; `live` is None while the presence store is unavailable."""
    address = reverse("admin:realtime_connection_changelist")
    try:
        return {"live": read_connections(query), "query": query, "address": address}
    except ServiceUnavailable:
        return {"live": None, "query": query, "address": address}
