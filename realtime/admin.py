"""The log of what was told, and the page of who is connected, in Django's admin."""

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
from realtime.monitoring import connections
from realtime.presence import store
from realtime.signals import person_disconnected

if TYPE_CHECKING:  # generic for the type checker alone
    _BroadcastAdmin = admin.ModelAdmin[Broadcast]
    _ConnectionAdmin = admin.ModelAdmin["Connection"]
else:
    _BroadcastAdmin = _ConnectionAdmin = admin.ModelAdmin


class LookOnly:
    """Is looked at: the past does not change, and what is ended is ended by a button of its own."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nothing is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted; the log is trimmed by `prune_broadcasts`."""
        return False


@admin.register(Broadcast)
class BroadcastAdmin(LookOnly, _BroadcastAdmin):
    """What was told, when and behind which rule; the superusers of the project look, and nobody changes the past."""

    list_display = ("created_at", "event", "guard", "event_id")
    list_filter = ("event",)
    search_fields = ("event", "guard", "event_id")
    date_hierarchy = "created_at"
    fields = readonly_fields = ("created_at", "event", "event_id", "guard", "public", "staff")
    show_full_result_count = False


class Connection(models.Model):
    """No table and no row: it gives the page of live connections its place and its permission in the admin."""

    class Meta:
        apps = Apps()  # not the project's: migrations and content types know nothing of it
        app_label = "realtime"
        managed = False
        verbose_name = gettext_lazy("live connection")
        verbose_name_plural = gettext_lazy("live connections")

    def __str__(self) -> str:
        """There is none."""
        return ""


@admin.register(Connection)
class ConnectionAdmin(LookOnly, _ConnectionAdmin):
    """Who is connected, to what, and ending it; for those who may view live connections, which superusers may."""

    def get_urls(self) -> list[URLPattern]:
        """Offer the page, and the question before a person is disconnected."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="realtime_connection_changelist"),
            path("people/<str:key>/", view(self.person_view), name="realtime_connection_person"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show who is connected; a POST names a socket, and ends it."""
        self._require_permission(request)
        if request.method == "POST":
            _end_socket(request, request.POST.get("socket", ""))
            return redirect("admin:realtime_connection_changelist")
        is_part = request.headers.get("X-Part") == "live"
        template = "admin/realtime/connection/_live.html" if is_part else "admin/realtime/connection/live.html"
        context = {} if is_part else self._page(request, _("Live connections"))
        response = TemplateResponse(request, template, context | _state(request.GET.get("q", "")))
        patch_vary_headers(response, ["X-Part"])
        return response

    def person_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Ask whether a person is to be signed out and disconnected; a POST does it."""
        self._require_permission(request)
        person = connections.people([key]).get(key)
        if person is None:
            raise Http404
        if request.method == "POST":
            disconnect_person(person, by=request.user)
            messages.success(request, _("%(name)s was signed out everywhere and disconnected.") % {"name": person})
            return redirect("admin:realtime_connection_changelist")
        context = self._page(request, _("Disconnect %(name)s?") % {"name": person})
        return TemplateResponse(request, "admin/realtime/connection/person.html", context | {"person": person})

    def _require_permission(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _page(self, request: HttpRequest, title: str) -> dict[str, Any]:
        """Return what every page of the admin needs."""
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "media": self.media}


@transaction.atomic
def disconnect_person(person: AbstractBaseUser, *, by: Any) -> None:
    """End what a person is signed in to, then the sockets, on every process."""
    person_disconnected.send(type(person), user=person, by=by)
    ephemeral.disconnect(users=[str(person.pk)])
    _note(_("Signed out everywhere and disconnected."), person=person, by=by)


def _end_socket(request: HttpRequest, socket_id: str) -> None:
    """End one connection, and say what became of it; its client may connect again."""
    found = next((each for each in _sockets() if each.socket_id == socket_id), None)
    if found is None:
        messages.warning(request, _("This connection is already closed."))
        return
    person = connections.people([found.user_id]).get(found.user_id or "")
    with transaction.atomic():
        ephemeral.disconnect(sockets=[socket_id])
        _note(_("Connection %(id)s closed.") % {"id": socket_id}, person=person, by=request.user)
    name = person or _("an anonymous visitor")
    messages.success(request, _("A connection of %(name)s was closed.") % {"name": name})


def _sockets() -> list[store.SocketReport]:
    try:
        return store.sockets()
    except store.Unavailable:
        return []


def _note(text: str, *, person: AbstractBaseUser | None, by: Any) -> None:
    """Write down who did it, to whom."""
    LogEntry.objects.create(
        user_id=by.pk,
        content_type=ContentType.objects.get_for_model(get_user_model()) if person is not None else None,
        object_id=None if person is None else str(person.pk),
        object_repr=str(person or _("Anonymous"))[:200],
        action_flag=CHANGE,
        change_message=text,
    )


def _state(query: str) -> dict[str, Any]:
    """Return what the page shows; where the census is away, that."""
    address = reverse("admin:realtime_connection_changelist")
    try:
        return {"state": connections.read(query), "query": query, "address": address}
    except store.Unavailable:
        return {"state": None, "query": query, "address": address}
