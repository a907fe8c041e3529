"""The ticket list, its counts, and bulk changes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts import throttles
from accounts.models import User
from accounts.types import AuthenticatedRequest
from realtime import Audience
from tickets import list_pages, list_queries, payloads, policies
from tickets.counts import count_found, counts
from tickets.forms.choices import ListChoices
from tickets.forms.filters import FilterForm
from tickets.forms.lists import BulkForm
from tickets.locking import lock
from tickets.models import Ticket
from tickets.reading import latest_messages, with_unread
from tickets.search import Snippet, named_ticket, snippets
from tickets.search.pages import Found
from tickets.views.bulk_undo import Earlier, earlier_of, undo_token, values_of
from tickets.views.list_totals import total_of
from tickets.views.list_views import SavedViews, built_in_views, count_saved_views, usable_views
from tickets.views.parameters import named_tickets
from tickets.views.responses import error_response, wants_json

# Views in which only the server knows the place of a ticket.
PLACED = {"waiting", "unread", "snoozed"}


@require_safe
@login_required
def ticket_list(request: AuthenticatedRequest) -> HttpResponse:
    """Show a page of the tickets that match the filter."""
    choices = ListChoices()
    form = FilterForm(request.GET, user=request.user, choices=choices)
    ticket_filter = form.ticket_filter()
    after, before = (request.GET.get(name, "") for name in ("after", "before"))
    if ticket_filter.words:
        throttles.count("search", by=request.user)
        named = named_ticket(ticket_filter.words, user=request.user) if not (after or before) else None
        if named is not None:
            return redirect(named)
    found = list_queries.find_page(request.user, ticket_filter, after=after, before=before)
    tickets = found.tickets.select_related(*Ticket.RELATED).prefetch_related(*policies.shown_with(request.user))
    page = list_pages.paginate(with_unread(tickets, request.user), ticket_filter.sort, after=after, before=before)
    numbers = counts(request.user, choices.statuses)
    saved = SavedViews(request.user, form, choices)
    views = built_in_views(request.user, ticket_filter, choices.statuses, numbers)
    passages = snippets(page.rows, ticket_filter.words, user=request.user) if ticket_filter.words else {}
    context = {
        "rows": rows(page.rows, passages),
        "page": page,
        "found": _found(found, page) if ticket_filter.words else None,
        "form": form,
        "from_list": f"?{urlencode({'list': form.query()})}" if not request.user.is_customer else "",
        "columns": _columns(ticket_filter.sort),
        "chips": form.chips(),
        "is_mixed": len(ticket_filter.views) + len(ticket_filter.statuses) > 1,
        # Customers have few tickets, which mostly are all shown.
        "names_view": bool(ticket_filter.words or {"waiting", "unread"} & {*ticket_filter.views}),
        "everywhere": urlencode({"q": ticket_filter.words}),
        "ticket_filter": ticket_filter,
        "filter_data": _filter_data(request.user, ticket_filter),
        "mode": _mode(ticket_filter, page),
        "views": views,
        "total": total_of(request.user, ticket_filter, page, views, saved),
        "saved": saved,
        "bulk": None if request.user.is_customer else BulkForm(user=request.user, choices=choices),
    }
    return render(request, "tickets/list.html", context)


def _filter_data(user: User, ticket_filter: list_queries.TicketFilter) -> dict[str, str]:
    """Return the filter as `<ticket-list>` has it, by which scripts decide as the server does."""
    keys: dict[str, Iterable[Any]] = {
        "view": ticket_filter.views,
        "status": (status.pk for status in ticket_filter.statuses),
        "priority": (priority.pk for priority in ticket_filter.priorities),
        "office": (office.pk for office in ticket_filter.offices),
        "assignee": (getattr(assignee, "pk", assignee) for assignee in ticket_filter.assignees),
        "tag": (tag.pk for tag in ticket_filter.tags),
    }
    created, updated = ticket_filter.created, ticket_filter.updated
    ends = {"created-start": created.start, "created-end": created.end}
    ends |= {"updated-start": updated.start, "updated-end": updated.end}
    is_search = ticket_filter.words or ticket_filter.customer or "unread" in ticket_filter.views
    data = {name: " ".join(map(str, values)) for name, values in keys.items()}
    data |= {name: moment.isoformat() for name, moment in ends.items() if moment is not None}
    data |= {"side": "customer" if user.is_customer else "staff", "search": "true" if is_search else ""}
    return {name: value for name, value in data.items() if value}


def _columns(sort: str) -> dict[str, dict[str, str]]:
    """Return the columns that sort the list: the order that a click chooses, and the present one for `aria-sort`."""
    columns = {}
    for name in ("priority", "updated"):
        present = {f"-{name}": "descending", name: "ascending"}.get(sort, "none")
        columns[name] = {"sort": name if present == "descending" else f"-{name}", "present": present}
    return columns


def _found(found: Found, page: list_pages.Page) -> dict[str, Any]:
    """Return the number of tickets that a search found, as far as it was counted."""
    is_whole = page.is_first and not page.older
    number, is_more = (len(page.rows), False) if is_whole else count_found(found)
    return {"number": number, "is_more": is_more}


def rows(tickets: Sequence[Any], passages: Mapping[int, Snippet] | None = None) -> list[dict[str, Any]]:
    """Return rows of the list; `is_staffed` and `is_unread` are annotations of their queries."""
    latest, passages = latest_messages(tickets), passages or {}
    return [_row(ticket, latest[ticket.pk], passages.get(ticket.pk)) for ticket in tickets]


def _row(ticket: Any, last: dict[str, Any], snippet: Snippet | None) -> dict[str, Any]:
    audience = Audience.STAFF if ticket.is_staffed else Audience.PUBLIC
    return {
        "ticket": payloads.ticket_payload(ticket, audience),
        "seq": ticket.seq(audience),
        "audience": audience,
        "is_unread": ticket.is_unread,
        "last": last,
        "snippet": snippet,
    }


def _mode(ticket_filter: list_queries.TicketFilter, page: list_pages.Page) -> str:
    """Return how live changes affect the list: insert rows, ask where they belong, announce them, or stay."""
    if ticket_filter.words or ticket_filter.customer:
        return "announce"
    if PLACED & {*ticket_filter.views}:
        return "place" if page.is_first else "announce"
    if ticket_filter.sort != list_pages.DEFAULT_SORT:
        return "announce"
    return "insert" if page.is_first else "stay"


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def found_tickets(request: AuthenticatedRequest) -> HttpResponse:
    """Return which of the given tickets the search of a page finds: an open search announces only those."""
    throttles.count("search", by=request.user)
    form = FilterForm(request.GET, user=request.user)
    found = list_queries.filter_tickets(request.user, form.ticket_filter(), uuids=named_tickets(request))
    return JsonResponse({"tickets": [str(uuid) for uuid in found.order_by().values_list("uuid", flat=True)]})


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def ticket_counts(request: AuthenticatedRequest) -> HttpResponse:
    """Return the counts of the views and the dashboard."""
    choices = ListChoices()
    numbers = counts(request.user, choices.statuses)
    return JsonResponse({"counts": numbers | count_saved_views(request.user, usable_views(request.user), choices)})


@require_POST
@login_required
def change_tickets(request: AuthenticatedRequest) -> HttpResponse:
    """Change several tickets one by one, and report the ones that could not be changed."""
    if request.user.is_customer:
        raise PermissionDenied
    form = BulkForm(request.POST, user=request.user)
    if not form.is_valid():
        return error_response(request, form) or _redirect_to_list(request, [], _errors(form))
    changes: list[Earlier] = []
    refused = _change_each(form, request.user, changes)
    changed = len(form.uuids) - len(refused)
    done = ngettext("%(number)d ticket updated.", "%(number)d tickets updated.", changed) % {"number": changed}
    if wants_json(request):
        undo = undo_token(request.user, changes)
        return JsonResponse({"changed": changed, "message": done, "refused": refused, "undo": undo})
    return _redirect_to_list(request, [done] if changed else [], [_sentence(failure) for failure in refused])


def _change_each(form: BulkForm, user: User, changes: list[Earlier]) -> list[dict[str, str]]:
    """Change the tickets in primary key order, which prevents deadlocks. Return the failures with reasons.

    Adds to `changes` what the tickets had before.
    """
    tickets = policies.visible_tickets(user).filter(uuid__in=form.uuids).order_by("pk")
    found = {ticket.uuid: ticket for ticket in tickets}
    answers = [_missing(uuid) for uuid in form.uuids - found.keys()]
    for ticket in found.values():
        answer = _change(form, ticket, user)
        if isinstance(answer, Earlier):
            changes.append(answer)
        else:
            answers.append(answer)
    return answers


def _change(form: BulkForm, ticket: Ticket, user: User) -> Earlier | dict[str, str]:
    try:
        with transaction.atomic():
            before = values_of(lock(ticket))
            return earlier_of(form.apply(ticket, by=user), before)
    except ObjectDoesNotExist:
        return _missing(ticket.uuid)
    except PermissionDenied as error:
        reason = str(error)
    except ValidationError as error:
        reason = " ".join(error.messages)
    return {"uuid": str(ticket.uuid), "reference": ticket.reference, "reason": reason}


def _missing(uuid: UUID) -> dict[str, str]:
    """Return the failure for a ticket that does not exist or that the user may not see, alike."""
    return {"uuid": str(uuid), "reference": "", "reason": _("Not found. It may have been moved or deleted.")}


def _sentence(answer: dict[str, str]) -> str:
    return f"{answer['reference'] or _('A selected ticket')}: {answer['reason']}"


def _errors(form: BulkForm) -> list[str]:
    return [str(message) for errors in form.errors.values() for message in errors]


def _redirect_to_list(request: HttpRequest, done: list[str], problems: list[str]) -> HttpResponse:
    """Redirect to the list with the submitted query; only the query, so that no redirect leaves the list."""
    for message in done:
        messages.success(request, message)
    for message in problems:
        messages.error(request, message)
    query = QueryDict(request.POST.get("back", "")).urlencode()
    return redirect(f"{reverse('tickets:list')}?{query}" if query else "tickets:list")
