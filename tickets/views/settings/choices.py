"""The settings pages of statuses and priorities."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.conflicts import validate_again
from accounts.types import AuthenticatedRequest
from tickets.configuration import choices, replacements
from tickets.forms.choices import ChoiceForm, PriorityForm, StatusForm
from tickets.models import Priority, Status
from tickets.views.responses import wants_json
from tickets.views.settings.access import for_admins
from tickets.views.settings.deletion import delete_page


@dataclass(frozen=True)
class Section:
    """What the pages say of a kind of choice."""

    model: type[Status] | type[Priority]
    form: type[ChoiceForm]
    title: Promise
    explanation: Promise
    new: Promise


SECTIONS = {
    "statuses": Section(
        Status,
        StatusForm,
        gettext_lazy("Statuses"),
        gettext_lazy("Where a ticket stands. Lists and menus show them in this order."),
        gettext_lazy("New status"),
    ),
    "priorities": Section(
        Priority,
        PriorityForm,
        gettext_lazy("Priorities"),
        gettext_lazy("How urgent a ticket is, from the least to the most urgent."),
        gettext_lazy("New priority"),
    ),
}


@require_safe
@for_admins
def choice_list(request: AuthenticatedRequest, section: str) -> HttpResponse:
    """Show the values in their order."""
    rows: list[Any] = list(SECTIONS[section].model._default_manager.all())
    deleted = {choice.pk for choice in rows if replacements.is_being_deleted(choice)}
    return render(request, "settings/choices.html", _context(section, rows=rows, deleted=deleted))


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
@validate_again
def edit_choice(request: AuthenticatedRequest, section: str, pk: int | None = None) -> HttpResponse:
    """Show or save a value; without `pk` a new one."""
    kind = SECTIONS[section]
    choice = kind.model() if pk is None else get_object_or_404(kind.model, pk=pk)
    name = choice.name
    form = kind.form(request.POST if request.method == "POST" else None, instance=choice)
    if request.method == "POST" and form.is_valid():
        choices.save_choice(form.instance, by=request.user, is_default=form.is_default)
        messages.success(request, _("Changes saved."))
        return redirect(f"settings:{section}")
    context = _context(section, form=form, choice=choice, name=name)
    return render(request, "settings/choice.html", context, status=422 if form.errors else 200)


@require_POST
@for_admins
def order_choices(request: AuthenticatedRequest, section: str) -> HttpResponse:
    """Save the order of all values (`order`), or move one up or down (`move` with `choice`)."""
    model = SECTIONS[section].model
    order = [str(pk) for pk in model._default_manager.values_list("pk", flat=True)]
    choices.order_choices(model, [int(pk) for pk in moved(request.POST, order)], by=request.user)
    return HttpResponse(status=204) if wants_json(request) else redirect(f"settings:{section}")


def moved(posted: QueryDict, order: list[str]) -> list[str]:
    """Return the keys in the order that a form posts, or with the one that it moves up or down in another place."""
    if "order" in posted:
        return [pk for pk in posted.getlist("order") if pk in order]
    choice, direction = (str(posted.get(name, "")) for name in ("choice", "move"))
    if choice in order:
        _move(order, choice, direction)
    return order


def _move(order: list[str], pk: str, direction: str) -> None:
    """Move `pk` one place "up" or "down"."""
    place = order.index(pk)
    target = place + {"up": -1, "down": 1}.get(direction, 0)
    if 0 <= target < len(order):
        order[place], order[target] = order[target], order[place]


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def delete_choice(request: AuthenticatedRequest, section: str, pk: int) -> HttpResponse:
    """Ask what the tickets of a value get instead; delete it."""
    choice: Any = get_object_or_404(SECTIONS[section].model, pk=pk)
    return delete_page(request, choice, section=section)


def _context(section: str, **values: Any) -> dict[str, Any]:
    urls = {each: f"settings:{section}-{each}" for each in ("new", "edit", "order")}
    return {"section": section, "kind": SECTIONS[section], "urls": urls, "list_url": f"settings:{section}", **values}
