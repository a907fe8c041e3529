"""The page that deletes a status, a priority or an office."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.text.lines import isolated
from accounts.types import AuthenticatedRequest
from tickets.configuration.replacements import Value
from tickets.forms.replacements import DeleteForm
from tickets.views.responses import call_service


def delete_page(request: AuthenticatedRequest, value: Value, *, section: str, **context: Any) -> HttpResponse:
    """Ask what the tickets of `value` get instead; delete it."""
    name = value.name
    form = DeleteForm(request.POST if request.method == "POST" else None, value=value)
    if request.method == "POST" and form.is_valid():
        is_deleted = call_service(form, form.delete, by=request.user)
        if is_deleted is not None:
            messages.success(request, _message(name, 0 if is_deleted else form.tickets))
            return redirect(f"settings:{section}")
    context |= {"form": form, "value": value, "section": section, "edit_url": f"settings:{section}-edit"}
    return render(request, "settings/delete.html", context, status=422 if form.errors else 200)


def _message(name: str, tickets: int) -> str:
    if not tickets:
        return _("“%(name)s” was deleted.") % {"name": isolated(name)}
    words = ngettext(
        "%(number)d ticket is being changed. “%(name)s” is deleted after that.",
        "%(number)d tickets are being changed. “%(name)s” is deleted after that.",
        tickets,
    )
    return words % {"number": tickets, "name": name}
