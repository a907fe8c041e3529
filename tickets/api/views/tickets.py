"""Tickets: list, open, read, change."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import InvalidParameter, ProjectAPIView, reject_unknown_parameters, serialized_response
from accounts.models import User
from realtime import Audience
from tickets import list_queries, policies, services
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
    NewTicketSerializer,
    TicketPage,
    WholeTicketSerializer,
    ticket_data,
    whole_ticket_data,
)
from tickets.forms.lists import FilterForm
from tickets.models import Status, Ticket

VERSION = re.compile(r'"([0-9]{1,9})"')


class VersionRequired(APIException):  # type: ignore[misc]
    """A change that does not say of which version (RFC 6585, section 3)."""

    status_code = 428
    default_detail = gettext_lazy("Send If-Match with the ETag you last read, or * to overwrite.")
    default_code = "version_required"


class VersionOutdated(APIException):  # type: ignore[misc]
    """What was to be changed has changed since it was seen (RFC 9110, section 13.1.1)."""

    status_code = 412
    default_detail = gettext_lazy("It has changed since you read it. Read it again.")
    default_code = "version_outdated"


class Tickets(ProjectAPIView):
    """All of them."""

    @extend_schema(
        operation_id="tickets",
        summary="List tickets",
        tags=["Tickets"],
        parameters=LIST_PARAMETERS,
        responses=TicketPage,
        examples=[response_example("One ticket", {"next": None, "previous": None, "results": [TICKET]})],
    )
    def get(self, request: Request) -> Response:
        """List the tickets you can see, with the filters and the search of the ticket list."""
        query = request._request.GET
        wanted = _wanted(query, request.user)
        if wanted.words:
            throttles.count("search", by=request.user)
        tickets = list_queries.filter_tickets(request.user, wanted).select_related(*Ticket.RELATED)
        place = {name: query.get(name, "") for name in ("after", "before")}
        page = list_queries.paginate(tickets, wanted.sort, size=paging.page_size(query), **place)
        if page.is_astray:
            raise paging.invalid_cursor("after" if place["after"] else "before")
        found = [ticket_data(row, Audience.STAFF if row.is_staffed else Audience.PUBLIC) for row in page.rows]
        after = paging.page_url(request, after=page.older)
        before = paging.page_url(request, before=page.newer)
        return serialized_response(TicketPage, {"next": after, "previous": before, "results": found})

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
        """Create a ticket. The office's staff receive it live."""
        throttles.count("ticket", by=request.user)

        def make() -> tuple[UUID, Ticket]:
            ticket = services.open_ticket(by=request.user, **self.read(NewTicketSerializer))
            return ticket.uuid, ticket

        ticket, is_replay = create_once(
            request,
            said=canonical_body(request),
            make=make,
            find=lambda uuid: _visible(request).filter(uuid=uuid).first(),
        )
        headers = {"Location": reverse("api:ticket", args=[ticket.uuid]), **replay_header(is_replay)}
        return _answer(request, ticket, status=201, headers=headers)


class OneTicket(ProjectAPIView):
    """One of them."""

    @extend_schema(
        operation_id="ticket",
        summary="Read a ticket",
        tags=["Tickets"],
        parameters=[ETAG],
        responses=WholeTicketSerializer,
        examples=[response_example("A ticket", WHOLE_TICKET)],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """Return a ticket with its first message."""
        return _answer(request, fetch(request, uuid))

    @extend_schema(
        operation_id="ticket_change",
        summary="Change a ticket",
        tags=["Tickets"],
        parameters=[IF_MATCH, ETAG],
        request=ChangesSerializer,
        responses={200: WholeTicketSerializer, 204: None},
        extensions={"x-problems": VERSION_PROBLEMS},
        examples=[
            request_example("Close the ticket", {"status": "Closed"}),
            response_example("The ticket", WHOLE_TICKET),
        ],
    )
    def patch(self, request: Request, uuid: UUID) -> Response:
        """Update the given fields, all or none. Returns 204 if you lose access to the ticket by the change.

        Only staff with access to the ticket can update it. Of concurrent updates to one version, one succeeds and the
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
        return Response(status=204) if changed is None else _answer(request, changed)


def fetch(request: Request, uuid: UUID) -> Ticket:
    """Return a ticket that the person may see; 404 otherwise."""
    ticket: Ticket = get_object_or_404(_visible(request), uuid=uuid)
    return ticket


def audience_for(user: User, ticket: Ticket) -> Audience:
    """Return as whom a visible ticket is read; a change of hands since it was fetched makes nobody staff."""
    return policies.audience_of(user, ticket) or Audience.PUBLIC


def replay_header(is_replay: bool) -> dict[str, str]:
    """Return the header that says that nothing was made this time."""
    return {"Idempotency-Replayed": "true"} if is_replay else {}


def _visible(request: Request) -> Any:
    return policies.visible_tickets(request.user).select_related(*Ticket.RELATED)


def _answer(
    request: Request, ticket: Ticket, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a ticket; its version, which counts what customers do not see, to staff."""
    audience = audience_for(request.user, ticket)
    tag = {"ETag": f'"{ticket.version}"'} if audience is Audience.STAFF else {}
    data = whole_ticket_data(ticket, audience)
    return serialized_response(WholeTicketSerializer, data, status=status, headers={**(headers or {}), **tag})


def if_match_versions(request: Request) -> set[int] | None:
    """Return the versions that may be changed; None for any. A weak tag matches none (RFC 9110, section 13.1.1)."""
    tags = parse_etags(request.headers.get("If-Match", ""))
    if not tags:
        raise VersionRequired
    found = [VERSION.fullmatch(tag) for tag in tags]
    return None if tags == ["*"] else {int(match[1]) for match in found if match}


def _wanted(query: QueryDict, user: User) -> list_queries.TicketFilter:
    """Return what is asked for; unlike the page, which leaves out what is wrong, a program is told."""
    form = FilterForm(query, user=user, statuses=list(Status.objects.all()))
    reject_unknown_parameters(query, *form.fields, "after", "before", "size")
    if query.get("after") and query.get("before"):
        raise InvalidParameter({"before": [_("Send only one cursor.")]})
    if not form.is_valid():
        raise InvalidParameter({name: list(map(str, errors)) for name, errors in form.errors.items()})
    return form.wanted()
