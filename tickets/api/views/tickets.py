"""Tickets: list, open, read, change."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import InvalidParameter, ProjectAPIView, reject_unknown_parameters, serialized_response
from accounts.models import User
from realtime import Audience
from tickets import list_pages, list_queries, policies, services
from tickets.actors import Source
from tickets.api import paging
from tickets.api.examples import TICKET, WHOLE_TICKET, request_example, response_example
from tickets.api.idempotency import canonical_body, create_once
from tickets.api.parameters import (
    ETAG,
    IDEMPOTENCY_PARAMETERS,
    IF_MATCH,
    KEY_PROBLEMS,
    LIST_PARAMETERS,
    VERSION_PROBLEMS,
)
from tickets.api.serializers import (
    ChangesSerializer,
    LostTicketSerializer,
    NewTicketSerializer,
    TicketPage,
    WholeTicketSerializer,
    ticket_data,
    whole_ticket_data,
)
from tickets.forms.filters import FilterForm
from tickets.forms.instances import InstancesField
from tickets.models import Ticket

VERSION = re.compile(r"[0-9]{1,9}")


class VersionOutdated(APIException):  # type: ignore[misc]
    """The object has another version than If-Match names (RFC 9110, section 13.1.1)."""

    status_code = 412
    default_detail = gettext_lazy("It has changed since you read it. Read it again.")
    default_code = "version_outdated"


class Tickets(ProjectAPIView):
    @extend_schema(
        operation_id="tickets",
        summary="List tickets",
        tags=["Tickets"],
        parameters=LIST_PARAMETERS,
        responses=TicketPage,
        examples=[response_example("One ticket", {"next": None, "previous": None, "results": [TICKET]})],
    )
    def get(self, request: Request) -> Response:
        """List the tickets that you may see, with the filters and search of the ticket list."""
        query = _with_search(request._request.GET)
        ticket_filter = _ticket_filter(query, request.user)
        if ticket_filter.words:
            throttles.count("search", by=request.user)
        cursors = {name: query.get(name, "") for name in ("after", "before")}
        shown: dict[str, Any] = {"size": paging.page_size(query), **cursors}
        found = list_queries.find_page(request.user, ticket_filter, **shown)
        tickets = found.tickets.select_related(*Ticket.RELATED).prefetch_related(*policies.shown_with(request.user))
        page = list_pages.paginate(tickets, ticket_filter.sort, **shown)
        if page.is_cursor_invalid:
            raise paging.invalid_cursor("after" if cursors["after"] else "before")
        results = [ticket_data(row, Audience.STAFF if row.is_staffed else Audience.PUBLIC) for row in page.rows]
        after = paging.page_url(request, after=page.older)
        before = paging.page_url(request, before=page.newer)
        data = {"next": after, "previous": before, "results": results}
        return serialized_response(TicketPage, data, request=request)

    @extend_schema(
        operation_id="ticket_create",
        summary="Create a ticket",
        tags=["Tickets"],
        parameters=[*IDEMPOTENCY_PARAMETERS, ETAG],
        request=NewTicketSerializer,
        responses={201: WholeTicketSerializer},
        extensions={"x-problems": KEY_PROBLEMS},
        examples=[
            request_example(
                "A ticket", {"subject": "Charged twice", "content": "Two charges for *May*.", "office": "Billing"}
            ),
            response_example("The ticket", WHOLE_TICKET, "201"),
        ],
    )
    def post(self, request: Request) -> Response:
        """Open a ticket: your own or, as staff of its office, that of a `customer`."""
        throttles.count("ticket", by=request.user)

        def create() -> tuple[UUID, Ticket]:
            values = {"customer": "", **self.read(NewTicketSerializer)}
            customer = values.pop("customer")
            ticket = services.open_ticket_for(customer, by=request.user, source=Source.API, **values)
            return ticket.uuid, ticket

        ticket, is_replay = create_once(
            request,
            body=canonical_body(request),
            create=create,
            find=lambda uuid: _visible(request).filter(uuid=uuid).first(),
        )
        headers = {"Location": reverse("api:ticket", args=[ticket.uuid]), **replay_header(is_replay)}
        return _ticket_response(request, ticket, status=201, headers=headers)


class OneTicket(ProjectAPIView):
    @extend_schema(
        operation_id="ticket",
        summary="Read a ticket",
        tags=["Tickets"],
        parameters=[ETAG],
        responses=WholeTicketSerializer,
        examples=[response_example("A ticket", WHOLE_TICKET)],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """Return a ticket with its opening message."""
        return _ticket_response(request, fetch(request, uuid))

    @extend_schema(
        operation_id="ticket_change",
        summary="Change a ticket",
        tags=["Tickets"],
        parameters=[IF_MATCH, ETAG],
        request=ChangesSerializer,
        responses=PolymorphicProxySerializer(
            "ChangedTicket", [WholeTicketSerializer, LostTicketSerializer], resource_type_field_name=None
        ),
        extensions={"x-problems": VERSION_PROBLEMS},
        examples=[
            request_example("Close the ticket", {"status": "Closed"}),
            response_example("The ticket", WHOLE_TICKET),
        ],
    )
    def patch(self, request: Request, uuid: UUID) -> Response:
        """Change the given fields, all or none.

        If you can no longer see the ticket afterwards, the response says so instead of repeating the ticket.

        Only staff of the ticket may change it. Of concurrent changes with `If-Match` of one version one succeeds; the
        others get 412.
        """
        ticket = fetch(request, uuid)
        if not policies.can_change(request.user, ticket):
            raise PermissionDenied(_("Only staff with access to this ticket can change it."))
        if_versions = if_match_versions(request)
        values = self.read(ChangesSerializer, partial=True)
        try:
            services.update_ticket(ticket, by=request.user, values=values, if_versions=if_versions)
        except services.Stale:
            raise VersionOutdated from None
        changed = _visible(request).filter(uuid=uuid).first()
        if changed is None:
            lost = {
                "uuid": uuid,
                "is_visible": False,
                "detail": _("Changed. You no longer have access to this ticket."),
            }
            return serialized_response(LostTicketSerializer, lost)
        return _ticket_response(request, changed)


def fetch(request: Request, uuid: UUID) -> Ticket:
    """Return a ticket that the user may see, or raise Http404."""
    ticket: Ticket = get_object_or_404(_visible(request), uuid=uuid)
    return ticket


def audience_for(user: User, ticket: Ticket) -> Audience:
    """Return the user's audience; PUBLIC if they lost access after the ticket was loaded."""
    return policies.audience_of(user, ticket) or Audience.PUBLIC


def replay_header(is_replay: bool) -> dict[str, str]:
    """Return the header of a repeated request."""
    return {"Idempotency-Replayed": "true"} if is_replay else {}


def _visible(request: Request) -> Any:
    return policies.visible_tickets(request.user).select_related(*Ticket.RELATED)


def _ticket_response(
    request: Request, ticket: Ticket, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a ticket; for staff with its version as ETag."""
    audience = audience_for(request.user, ticket)
    tag = {"ETag": f'"{ticket.version}"'} if audience is Audience.STAFF else {}
    data = whole_ticket_data(ticket, audience)
    headers = {**(headers or {}), **tag}
    return serialized_response(WholeTicketSerializer, data, status=status, request=request, headers=headers)


def if_match_versions(request: Request) -> set[int] | None:
    """Return the versions in If-Match; None for `*`, or without the header: then any version may be changed.

    A weak tag matches no version (RFC 9110, section 13.1.1).
    """
    tags = if_match_tags(request)
    return None if tags is None else {int(tag) for tag in tags if VERSION.fullmatch(tag)}


def if_match_tags(request: Request) -> set[str] | None:
    """Return the tags in If-Match, as `if_match_versions` does; clients may lose the quotation marks."""
    tags = [tag.strip() for tag in request.headers.get("If-Match", "").split(",") if tag.strip()]
    if not tags or tags == ["*"]:
        return None
    return {tag.strip('"') for tag in tags}


def _ticket_filter(query: QueryDict, user: User) -> list_queries.TicketFilter:
    """Return the requested filter, by default of all tickets.

    Raises InvalidParameter for invalid values, which the page ignores.
    """
    form = FilterForm(query, user=user, default_view="all")
    several = [name for name, field in form.fields.items() if isinstance(field, InstancesField)]
    reject_unknown_parameters(query, *form.fields, "search", "after", "before", "size", several=several)
    if query.get("after") and query.get("before"):
        raise InvalidParameter({"before": [_("Send only one cursor.")]})
    if not form.is_valid():
        raise InvalidParameter({name: list(map(str, errors)) for name, errors in form.errors.items()})
    return form.ticket_filter()


def _with_search(query: QueryDict) -> QueryDict:
    """Return the query with `q` for its alias `search`. Raises InvalidParameter if both are given."""
    if "search" not in query:
        return query
    if "q" in query:
        raise InvalidParameter({"search": [_("Send either q or search.")]})
    query = query.copy()
    query.setlist("q", query.pop("search"))
    return query
