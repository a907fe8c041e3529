"""Saved views: the services that change them."""

from collections.abc import Sequence
from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import policies, signals
from tickets.forms.filters import FilterForm
from tickets.models import MAX_QUERY, SavedView

MAX_VIEWS: Final = 20  # for the same readers: each is counted beside the list


@transaction.atomic
def save(view: SavedView, *, by: User, position: int | None = None) -> None:
    """Save a new or changed view; one with new readers comes last, unless `position` (from 1) says where.

    Raises PermissionDenied, ValidationError.
    """
    before = SavedView.objects.select_for_update().filter(pk=view.pk).first()
    for each in (before, view):
        _require(each is None or policies.can_edit_view(by, each))
    view.query = clean_query(view.query, by=by)
    if before is None or before.readers != view.readers:
        others = _siblings(view)
        if len(others) >= MAX_VIEWS:
            raise ValidationError(_("There can be at most %(most)d views here.") % {"most": MAX_VIEWS})
        view.order = max((other.order for other in others), default=0) + 1
        if before is not None:
            signals.view_changed.send(SavedView, view=before, current=None)
    view.save()
    signals.view_changed.send(SavedView, view=view, current=view)
    if position is not None:
        ids = [each.pk for each in _siblings(view) if each != view]
        ids.insert(position - 1, view.pk)
        order(view, ids, by=by)
        view.refresh_from_db(fields=["order"])


@transaction.atomic
def delete(view: SavedView, *, by: User) -> None:
    """Delete a view. Raises PermissionDenied."""
    _require(policies.can_edit_view(by, view))
    signals.view_changed.send(SavedView, view=view, current=None)
    view.delete()


@transaction.atomic
def order(view: SavedView, ids: Sequence[int], *, by: User) -> None:
    """Put the views for the readers of `view` in the order of `ids`; those that it does not name come last.

    Raises PermissionDenied.
    """
    _require(policies.can_edit_view(by, view))
    place = {pk: number for number, pk in enumerate(ids)}
    views = sorted(_siblings(view), key=lambda each: place.get(each.pk, len(place)))
    for number, each in enumerate(views, 1):
        if each.order != number:
            each.order = number
            each.save(update_fields=["order"])
            signals.view_changed.send(SavedView, view=each, current=each)


def replace_value(field: str, before: object, after: object) -> None:
    """Let views filter by the key `after` instead of `before`, which is about to be deleted."""
    for view in SavedView.objects.select_for_update().filter(query__contains=f"{field}={before}"):
        query = QueryDict(view.query, mutable=True)
        keys = [str(after) if key == str(before) else key for key in query.getlist(field)]
        query.setlist(field, list(dict.fromkeys(keys)))
        if query.urlencode() != view.query:
            view.query = query.urlencode()
            view.save(update_fields=["query"])
            signals.view_changed.send(SavedView, view=view, current=view)


def clean_query(query: str, *, by: User) -> str:
    """Return a query of the list with keys instead of names. Raises ValidationError."""
    form = FilterForm(QueryDict(query), user=by)
    if not form.is_valid():
        errors = [f"{form.fields[name].label}: {error}" for name, each in form.errors.items() for error in each]
        raise ValidationError({"query": errors})
    cleaned = form.query(leave=("view",))
    if len(cleaned) > MAX_QUERY:
        raise ValidationError({"query": _("These are too many filters to save.")})
    return cleaned


def _siblings(view: SavedView) -> list[SavedView]:
    """Return the views for the same readers, locked, in their order."""
    found = SavedView.objects.filter(owner=view.owner_id, office=view.office_id)
    return list(found.select_for_update().order_by("order", "name", "pk"))


def _require(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied(_("You can't change this view."))
