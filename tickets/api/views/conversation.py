"""A ticket's conversation and its timeline."""

from collections.abc import Mapping
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from realtime import Audience
from tickets import payloads, policies, services
from tickets.actors import Source
from tickets.api.examples import LINE, REPLY, request_example, response_example
from tickets.api.idempotency import canonical_body, create_once
from tickets.api.paging import paginate_rows
from tickets.api.parameters import (
    AFTER,
    IDEMPOTENCY_PARAMETERS,
    IF_MATCH,
    KEY_PROBLEMS,
    REPLY_ETAG,
    SIZE,
    UNSEEN_PROBLEMS,
    VERSION_PROBLEMS,
)
from tickets.api.serializers import (
    NewReplySerializer,
    ReplyChangeSerializer,
    ReplyPage,
    ReplySerializer,
    TimelinePage,
    reply_data,
)
from tickets.api.views.tickets import VersionOutdated, audience_for, fetch, if_match_versions, replay_header
from tickets.models import Reply
from tickets.unseen import UnseenMessages


class UnseenConflict(APIException):  # type: ignore[misc]
    """Others have added messages after the one in `seen`."""

    status_code = 409
    default_code = UnseenMessages.code


class Replies(ProjectAPIView):
    @extend_schema(
        operation_id="replies",
        summary="List replies",
        tags=["Conversation"],
        parameters=[AFTER, SIZE],
        responses=ReplyPage,
        examples=[response_example("A reply", {"next": None, "results": [REPLY]})],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """List the replies, oldest first; internal notes for staff of the ticket only."""
        ticket = fetch(request, uuid)
        audience = audience_for(request.user, ticket)
        replies = policies.visible_replies(request.user, ticket)
        found, following = paginate_rows(request, replies, "number", of=f"replies {uuid}")
        return serialized_response(
            ReplyPage, {"next": following, "results": [reply_data(row, audience) for row in found]}, request=request
        )

    @extend_schema(
        operation_id="reply_create",
        summary="Add a reply or a note",
        tags=["Conversation"],
        parameters=[*IDEMPOTENCY_PARAMETERS, REPLY_ETAG],
        request=NewReplySerializer,
        responses={201: ReplySerializer},
        extensions={"x-problems": KEY_PROBLEMS | UNSEEN_PROBLEMS},
        examples=[
            request_example("A reply", {"message": "We have sent one of them back."}),
            request_example("An internal note", {"message": "Second time this month.", "is_internal": True}),
            response_example("The reply", REPLY, "201"),
        ],
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Add a reply. A customer's reply reopens a closed ticket."""
        ticket = fetch(request, uuid)
        throttles.count("reply", by=request.user)
        replies = policies.visible_replies(request.user, ticket)

        def create() -> tuple[UUID, Reply]:
            values = self.read(NewReplySerializer)
            values |= {"internal": values.pop("is_internal"), "source": Source.API}
            try:
                reply = services.add_reply(ticket, by=request.user, **values)
            except UnseenMessages as error:
                raise UnseenConflict(error.message) from error
            return reply.pk, reply

        reply, is_replay = create_once(
            request, body=canonical_body(request), create=create, find=lambda pk: replies.filter(pk=pk).first()
        )
        headers = {"Location": reverse("api:reply", args=[uuid, reply.pk]), **replay_header(is_replay)}
        return _reply_response(request, reply, status=201, headers=headers)


class OneReply(ProjectAPIView):
    @extend_schema(
        operation_id="reply",
        summary="Read a reply",
        tags=["Conversation"],
        parameters=[REPLY_ETAG],
        responses=ReplySerializer,
        examples=[response_example("A reply", REPLY)],
    )
    def get(self, request: Request, uuid: UUID, reply_id: UUID) -> Response:
        """Return one reply in full; live events omit a message that is too large."""
        return _reply_response(request, _fetch(request, uuid, reply_id))

    @extend_schema(
        operation_id="reply_change",
        summary="Edit a message, publish a note or hide a reply",
        tags=["Conversation"],
        parameters=[IF_MATCH, REPLY_ETAG],
        request=ReplyChangeSerializer,
        responses=ReplySerializer,
        extensions={"x-problems": VERSION_PROBLEMS},
        examples=[
            request_example("Hide the reply", {"is_internal": True}),
            request_example("Edit the text", {"message": "We have sent both of them back."}),
            response_example("The note", REPLY | {"is_internal": True}),
        ],
    )
    def patch(self, request: Request, uuid: UUID, reply_id: UUID) -> Response:
        """Change the text of a message, or its visibility.

        Only its author may edit the text, until `editable_until`; the previous text stays readable for staff.
        A note that is made public moves to the end of the conversation and gets the current time. A reply that is
        made internal disappears for the customer. Only staff of the ticket may do this, and not with the customer's
        own messages. A change of the visibility that changes nothing succeeds with any version.
        """
        reply = _fetch(request, uuid, reply_id)
        if not (policies.can_change(request.user, reply.ticket) or policies.can_edit_reply(request.user, reply)):
            raise PermissionDenied(_("Only staff with access to this ticket can change it."))
        if_versions = _if_match_of_staff(request, reply)
        values = self.read(ReplyChangeSerializer)
        try:
            if "message" in values:
                throttles.count("reply", by=request.user)
                services.edit_reply(reply, by=request.user, message=values["message"], if_versions=if_versions)
            else:
                internal = values["is_internal"]
                services.change_visibility(reply, by=request.user, internal=internal, if_versions=if_versions)
        except services.Stale:
            raise VersionOutdated from None
        return _reply_response(request, _fetch(request, uuid, reply_id))


def _fetch(request: Request, uuid: UUID, reply_id: UUID) -> Reply:
    """Return a reply that the user may read, or raise Http404."""
    ticket = fetch(request, uuid)
    reply: Reply = get_object_or_404(policies.visible_replies(request.user, ticket), pk=reply_id)
    return reply


def _if_match_of_staff(request: Request, reply: Reply) -> set[int] | None:
    """Return the versions in If-Match; none of a customer's: a match would say how many notes there are."""
    versions = if_match_versions(request)
    if versions is not None and audience_for(request.user, reply.ticket) is not Audience.STAFF:
        return set()
    return versions


def _reply_response(
    request: Request, reply: Reply, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a reply; for staff with its version, which customers must not see because it counts notes."""
    audience = audience_for(request.user, reply.ticket)
    tag = {"ETag": f'"{reply.version}"'} if audience is Audience.STAFF else {}
    return serialized_response(
        ReplySerializer,
        reply_data(reply, audience),
        status=status,
        request=request,
        headers={**(headers or {}), **tag},
    )


class Timeline(ProjectAPIView):
    @extend_schema(
        operation_id="timeline",
        summary="List timeline entries",
        tags=["Conversation"],
        parameters=[AFTER, SIZE],
        responses=TimelinePage,
        examples=[response_example("A change", {"next": None, "results": [LINE]})],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """List the timeline entries, oldest first; internal ones for staff of the ticket only."""
        ticket = fetch(request, uuid)
        audience = audience_for(request.user, ticket)
        lines = policies.visible_timeline(request.user, ticket)
        found, following = paginate_rows(request, lines, "pk", of=f"timeline {uuid}")
        entries = [payloads.timeline_payload(entry, ticket, audience) for entry in found]
        return serialized_response(TimelinePage, {"next": following, "results": entries}, request=request)
