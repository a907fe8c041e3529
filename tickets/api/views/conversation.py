"""A ticket's conversation and its timeline."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import DeskView, shown
from tickets import briefs, policies, services
from tickets.api import shapes
from tickets.api.examples import LINE, REPLY, sent, told
from tickets.api.once import body_of, make_once
from tickets.api.paging import rows_after
from tickets.api.parameters import AFTER, KEY_PROBLEMS, ONCE, SIZE
from tickets.api.serializers import NewReplySerializer, ReplyPage, ReplySerializer, TimelinePage
from tickets.api.views.tickets import as_whom, fetch, replayed
from tickets.models import Reply


class Replies(DeskView):
    """The conversation."""

    @extend_schema(
        operation_id="replies",
        summary="Read the conversation",
        tags=["Conversation"],
        parameters=[AFTER, SIZE],
        responses=ReplyPage,
        examples=[told("An answer", {"next": None, "results": [REPLY]})],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """List the replies, oldest first; internal notes for staff of the ticket alone."""
        ticket = fetch(request, uuid)
        audience = as_whom(request.user, ticket)
        replies = policies.visible_replies(request.user, ticket)
        found, following = rows_after(request, replies, "number", of=f"replies {uuid}")
        return shown(ReplyPage, {"next": following, "results": [shapes.reply(row, audience) for row in found]})

    @extend_schema(
        operation_id="reply_create",
        summary="Reply, or write a note",
        tags=["Conversation"],
        parameters=ONCE,
        request=NewReplySerializer,
        responses={201: ReplySerializer},
        extensions={"x-problems": KEY_PROBLEMS},
        examples=[
            sent("A reply", {"message": "We have sent one of them back."}),
            sent("An internal note", {"message": "Second time this month.", "is_internal": True}),
            told("The reply", REPLY, "201"),
        ],
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Add a reply; whoever may read it hears it at once. A customer's reply opens a closed ticket again."""
        ticket = fetch(request, uuid)
        replies = policies.visible_replies(request.user, ticket)

        def make() -> tuple[UUID, Reply]:
            words = self.read(NewReplySerializer)
            reply = services.add_reply(ticket, by=request.user, internal=words.pop("is_internal"), **words)
            return reply.pk, reply

        reply, is_replay = make_once(
            request, said=body_of(request), make=make, find=lambda pk: replies.filter(pk=pk).first()
        )
        headers = {"Location": reverse("api:reply", args=[uuid, reply.pk]), **replayed(is_replay)}
        data = shapes.reply(reply, as_whom(request.user, reply.ticket))
        return shown(ReplySerializer, data, status=201, headers=headers)


class OneReply(DeskView):
    """One turn of it."""

    @extend_schema(
        operation_id="reply",
        summary="Read a reply",
        tags=["Conversation"],
        responses=ReplySerializer,
        examples=[told("A reply", REPLY)],
    )
    def get(self, request: Request, uuid: UUID, reply_id: UUID) -> Response:
        """Return one reply whole: a live event that would have been too large names it only."""
        ticket = fetch(request, uuid)
        reply = get_object_or_404(policies.visible_replies(request.user, ticket), pk=reply_id)
        return shown(ReplySerializer, shapes.reply(reply, as_whom(request.user, ticket)))


class Timeline(DeskView):
    """What happened."""

    @extend_schema(
        operation_id="timeline",
        summary="Read the timeline",
        tags=["Conversation"],
        parameters=[AFTER, SIZE],
        responses=TimelinePage,
        examples=[told("A change", {"next": None, "results": [LINE]})],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """List who did what to the ticket, oldest first; what is for staff alone only for them."""
        ticket = fetch(request, uuid)
        audience = as_whom(request.user, ticket)
        lines = policies.visible_timeline(request.user, ticket)
        found, following = rows_after(request, lines, "pk", of=f"timeline {uuid}")
        told_lines = [briefs.timeline_brief(line, ticket, audience) for line in found]
        return shown(TimelinePage, {"next": following, "results": told_lines})
