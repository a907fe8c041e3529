"""The settings pages of saved views, for all staff; a view is made from the filters of the list."""

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.text.lines import isolated
from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.configuration import saved_views
from tickets.forms.choices import ListChoices
from tickets.forms.filters import FilterForm
from tickets.forms.saved_views import SavedViewForm
from tickets.models import SavedView
from tickets.payloads import view_payload
from tickets.views.list_views import usable_views
from tickets.views.responses import call_service, wants_json
from tickets.views.settings.access import for_staff
from tickets.views.settings.choices import moved

SECTION = "views"


@require_safe
@for_staff
def view_list(request: AuthenticatedRequest) -> HttpResponse:
    """Show the views that the user may open, those for the same readers in their order."""
    choices, groups = ListChoices(), []
    for _readers, views in groupby(usable_views(request.user), key=lambda view: view.readers):
        rows = [_row(request, view, choices) for view in views]
        groups.append({"first": rows[0]["view"], "rows": rows, "can_edit": rows[0]["can_edit"]})
    return render(request, "settings/views.html", {"section": SECTION, "groups": groups})


def _row(request: AuthenticatedRequest, view: SavedView, choices: ListChoices) -> dict[str, Any]:
    form = FilterForm(QueryDict(view.query), user=request.user, choices=choices)
    return {
        "view": view,
        "url": view_payload(view)["url"],
        "facts": form.facts(),
        "can_edit": policies.can_edit_view(request.user, view),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def edit_view(request: AuthenticatedRequest, pk: int | None = None) -> HttpResponse:
    """Show or save a view; without `pk` a new one, with the filters that the list has sent."""
    view = SavedView(query=request.GET.get("query", "")) if pk is None else _fetch(request, pk)
    name = view.name
    form = SavedViewForm(request.POST if request.method == "POST" else None, instance=view, user=request.user)
    if request.method == "POST" and form.is_valid():
        call_service(form, saved_views.save, form.instance, by=request.user)
        if not form.errors:
            messages.success(request, _("Changes saved."))
            return redirect("settings:views") if name else redirect(view_payload(form.instance)["url"])
    facts = FilterForm(QueryDict(view.query), user=request.user).facts()
    context = {"section": SECTION, "form": form, "view": view, "name": name, "facts": facts}
    return render(request, "settings/view.html", context, status=422 if form.errors else 200)


@require_POST
@for_staff
def update_view(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Give a view the filters of the list (`query`)."""
    view = _fetch(request, pk)
    view.query = request.POST.get("query", "")
    saved_views.save(view, by=request.user)
    messages.success(request, _("“%(name)s” was updated.") % {"name": isolated(view.name)})
    return redirect(view_payload(view)["url"])


@require_POST
@for_staff
def order_views(request: AuthenticatedRequest) -> HttpResponse:
    """Save the order of the views for the same readers (`order`), or move one up or down (`move` with `choice`)."""
    posted = [key for key in request.POST.getlist("order") or [request.POST.get("choice", "")] if key.isdecimal()]
    view = _fetch(request, int(posted[0]) if posted and len(posted[0]) < 10 else 0)
    siblings = [each for each in usable_views(request.user) if each.readers == view.readers]
    order = moved(request.POST, [str(each.pk) for each in siblings])
    saved_views.order(view, [int(key) for key in order], by=request.user)
    return HttpResponse(status=204) if wants_json(request) else redirect("settings:views")


@require_POST
@for_staff
def delete_view(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Delete a view."""
    view = _fetch(request, pk)
    saved_views.delete(view, by=request.user)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": isolated(view.name)})
    return redirect("settings:views")


def _fetch(request: AuthenticatedRequest, pk: int) -> SavedView:
    """Return a view to change: 404 for one that the user does not see, 403 for one they may only open."""
    view = get_object_or_404(policies.usable_views(request.user).select_related("owner", "office"), pk=pk)
    if not policies.can_edit_view(request.user, view):
        raise PermissionDenied
    return view
