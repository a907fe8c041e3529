"""The settings pages of saved replies and macros, for all staff."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.text.lines import isolated
from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.configuration import saved_replies
from tickets.configuration.variables import VARIABLES
from tickets.forms.choices import ListChoices
from tickets.forms.saved_replies import SavedReplyForm
from tickets.macros import actions
from tickets.macros.forms import MacroForm
from tickets.macros.services import save_macro
from tickets.models import Macro, SavedReply
from tickets.views.responses import call_service
from tickets.views.settings.access import for_staff

MAX_FACTS = 120  # characters of a text in the list


@dataclass(frozen=True)
class Kind:
    """What the pages of one kind need: its rows, form and service, and its templates."""

    model: type[Any]
    usable: Callable[[User], QuerySet[Any]]
    form: type[Any]
    save: Callable[..., None]
    # Returns what a row does in a line, and why it cannot be used, if so.
    facts: Callable[[Any, ListChoices], tuple[str, list[str]]]
    list_template: str
    template: str


def _facts_of_macro(macro: Macro, choices: ListChoices) -> tuple[str, list[str]]:
    found = actions.read(macro, choices)
    return found.summary(), found.problems


KINDS = {
    "saved-replies": Kind(
        SavedReply,
        policies.usable_saved_replies,
        SavedReplyForm,
        saved_replies.save,
        lambda saved, choices: (saved.text, []),
        "settings/saved_replies.html",
        "settings/saved_reply.html",
    ),
    "macros": Kind(
        Macro,
        policies.usable_macros,
        MacroForm,
        save_macro,
        _facts_of_macro,
        "settings/macros.html",
        "settings/macro.html",
    ),
}


@require_safe
@for_staff
def saved_list(request: AuthenticatedRequest, section: str) -> HttpResponse:
    """Show the rows that the user may use."""
    kind, choices = KINDS[section], ListChoices()
    rows = []
    for saved in kind.usable(request.user).select_related("owner", "office"):
        facts, problems = kind.facts(saved, choices)
        rows.append({"saved": saved, "facts": facts, "problems": problems})
    context = {"section": section, "rows": rows, "edit_url": f"settings:{section}-edit", "most": MAX_FACTS}
    return render(request, kind.list_template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def edit_saved(request: AuthenticatedRequest, section: str, pk: int | None = None) -> HttpResponse:
    """Show or save a row; without `pk` a new one."""
    kind = KINDS[section]
    saved = kind.model() if pk is None else _fetch(request, kind, pk)
    name, problems = saved.name, kind.facts(saved, ListChoices())[1]
    form = kind.form(request.POST if request.method == "POST" else None, instance=saved, user=request.user)
    if request.method == "POST" and form.is_valid():
        call_service(form, kind.save, form.instance, by=request.user)
        if not form.errors:
            messages.success(request, _("Changes saved."))
            return redirect(f"settings:{section}")
    context = {"section": section, "list_url": f"settings:{section}", "form": form, "saved": saved, "name": name}
    context |= {"problems": problems, "variables": VARIABLES}
    return render(request, kind.template, context, status=422 if form.errors else 200)


@require_POST
@for_staff
def delete_saved(request: AuthenticatedRequest, section: str, pk: int) -> HttpResponse:
    """Delete a row."""
    saved = _fetch(request, KINDS[section], pk)
    saved_replies.delete(saved, by=request.user)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": isolated(saved.name)})
    return redirect(f"settings:{section}")


def _fetch(request: AuthenticatedRequest, kind: Kind, pk: int) -> Any:
    """Return a row to change: 404 for one that the user does not see, 403 for one they may only use."""
    saved = get_object_or_404(kind.usable(request.user), pk=pk)
    if not policies.can_edit_saved(request.user, saved):
        raise PermissionDenied
    return saved
