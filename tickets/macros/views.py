"""Macros on the page of a ticket."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from accounts import throttles
from accounts.text.lines import isolated
from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.forms.choices import ListChoices
from tickets.macros import actions
from tickets.macros.applying import ApplyForm, preview
from tickets.models import Ticket
from tickets.views.parameters import changeable_ticket
from tickets.views.responses import call_service, error_response, wants_json


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def list_for_ticket(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Return {macros: [{name, text, url}]}, the most used first; `text` says what one does, `url` is its preview."""
    ticket, choices = changeable_ticket(request, uuid), ListChoices()
    address = reverse("tickets:macro", args=[ticket.uuid])
    rows = [
        {
            "name": macro.name,
            "text": actions.read(macro, choices).summary(),
            "url": f"{address}?macro={macro.pk}",
        }
        for macro in policies.usable_macros(request.user).order_by("-uses", "name", "pk")
    ]
    return JsonResponse({"macros": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@cache_control(private=True, no_store=True)
def macro(request: AuthenticatedRequest, uuid: UUID) -> HttpResponse:
    """Show what a macro would do to the ticket, or apply it."""
    ticket = changeable_ticket(request, uuid)
    is_applied = request.method == "POST" and "preview" not in request.POST
    form = ApplyForm(request.POST if request.method == "POST" else request.GET, user=request.user)
    if not form.is_valid():
        return _refuse(request, ticket, form)
    if is_applied and throttles.permits(form, "reply", by=request.user):
        call_service(form, form.apply, ticket, by=request.user)
    if is_applied and not form.errors:
        return _applied(request, ticket, form)
    return throttles.with_retry_after(_preview(request, ticket, form), *throttles.errors_of(form))


def _refuse(request: AuthenticatedRequest, ticket: Ticket, form: ApplyForm) -> HttpResponse:
    if (answer := error_response(request, form)) is not None:
        return answer
    for errors in form.errors.values():
        messages.error(request, " ".join(map(str, errors)))
    return redirect(ticket)


def _applied(request: AuthenticatedRequest, ticket: Ticket, form: ApplyForm) -> HttpResponse:
    if wants_json(request):
        return HttpResponse(status=204)
    name = isolated(form.cleaned_data["macro"].name)
    messages.success(request, _("“%(name)s” was applied.") % {"name": name})
    is_visible = policies.visible_tickets(request.user).filter(pk=ticket.pk).exists()
    return redirect(ticket if is_visible else "tickets:list")


def _preview(request: AuthenticatedRequest, ticket: Ticket, form: ApplyForm) -> HttpResponse:
    """Show the macro, or why it was not applied; what was refused since others were first can be sent again."""
    if form.errors:
        ticket = changeable_ticket(request, ticket.uuid)
    shown = preview(form.cleaned_data["macro"], ticket, by=request.user)
    status = 409 if form.is_outdated else 422 if form.errors else 200
    if wants_json(request):
        return JsonResponse(_with_errors(shown, form), status=status)
    if not form.is_outdated:  # what the page had shown before
        sent = {"seen": form.cleaned_data["seen"], "version": form.cleaned_data["version"]}
        shown |= {name: value for name, value in sent.items() if value is not None}
    context = {"ticket": ticket, "macro": shown, "form": form, "key": form.cleaned_data["key"] or form["key"].initial}
    return render(request, "tickets/macro.html", context, status=status)


def _with_errors(shown: dict[str, Any], form: ApplyForm) -> dict[str, Any]:
    if form.is_outdated:
        shown["current"] = {}  # the form can be sent again, with the version and the message that are shown now
    return shown | {"errors": form.errors} if form.errors else shown
