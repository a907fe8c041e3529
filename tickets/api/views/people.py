"""People, as the settings show them: roles, offices, deactivation. For admins."""

from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import InvalidParameter, ProjectAPIView, serialized_response
from accounts.api.fields import Address, Body, Flag, Line, OneOf, Row, RowId
from accounts.customers import managed_people
from accounts.models import User
from accounts.policies import can_manage_users, managed_users, staffed_offices, visible_users
from accounts.text.lines import validate_person_name
from tickets.api.examples import request_example, response_example
from tickets.api.paging import paginate_rows
from tickets.api.parameters import AFTER, DIGEST_IF_MATCH, PERSON_ETAG, SIZE, VERSION_PROBLEMS, query
from tickets.api.views.tickets import VersionOutdated, if_match_tags
from tickets.people import handover

EXAMPLE = {
    "id": "5c1d2e3f-0a9b-4c8d-8e7f-6a5b4c3d2e1f",
    "name": "Bao Nguyen",
    "email": "bao@example.com",
    "role": "agent",
    "offices": ["Billing"],
    "is_active": True,
    "last_login": "2026-03-02T09:00:00Z",
    "has_two_factor": True,
    "open_tickets": 12,
}
ADMINS_ONLY = {"x-problems": {"403": "You are not an admin."}}
MAX_LENGTH = 100  # characters of a search, as on the page
WORDS = {"type": "string", "pattern": r"^[^\u0000]*$", "minLength": 1, "maxLength": MAX_LENGTH}


class ManagedPersonSerializer(serializers.Serializer):  # type: ignore[misc]
    """A person, as admins see them."""

    id = serializers.UUIDField(help_text="Never changes.")
    name = serializers.CharField(help_text="Their name.")
    email = serializers.EmailField(help_text="The address of their account.")
    role = serializers.ChoiceField(User.Role.values, help_text="What they may do.")
    offices = serializers.ListField(
        child=serializers.CharField(), source="offices.all", help_text="The names of an agent's offices."
    )
    is_active = serializers.BooleanField(help_text="Whether they may sign in.")
    last_login = serializers.DateTimeField(allow_null=True, help_text="When they last signed in.")
    has_two_factor = serializers.BooleanField(help_text="Whether they sign in with two-factor authentication.")
    open_tickets = serializers.IntegerField(help_text="The number of open tickets that are assigned to them.")


class PersonPage(serializers.Serializer):  # type: ignore[misc]
    """A page of people."""

    next = Address(allow_null=True, help_text="The URL of the next page; null on the last page.")
    results = ManagedPersonSerializer(many=True, help_text="The people.")


class PersonChanges(Body):
    """The fields to change."""

    name = Line(max_length=100, required=False, validators=[validate_person_name], help_text="Their name.")
    role = OneOf(User.Role.values, required=False, help_text="Another than your own.")
    offices = serializers.ListField(
        child=Row(staffed_offices), required=False, max_length=100, help_text="All offices of an agent: names or ids."
    )
    is_active = Flag(required=False, help_text="`false` signs them out at once, and ends their API tokens.")
    hand_over_to = RowId(
        visible_users,
        required=False,
        allow_null=True,
        help_text="Who takes on the open tickets of a person who is deactivated or becomes a customer: an id from "
        "`assignees/`; no one by default.",
    )


class People(ProjectAPIView):
    @extend_schema(
        operation_id="people",
        summary="List people",
        tags=["People"],
        parameters=[query("q", WORDS, "Parts of the name or the address, of customers too."), AFTER, SIZE],
        responses=PersonPage,
        extensions=ADMINS_ONLY,
        examples=[response_example("An agent", {"next": None, "results": [EXAMPLE]})],
    )
    def get(self, request: Request) -> Response:
        """List agents and admins or, with `q`, everyone who has all its words, by address. Only admins may."""
        _require_admin(request)
        words = _words(request)
        if words:
            throttles.count("search", by=request.user)
        people = _with_facts(managed_people(request.user, words))
        found, following = paginate_rows(request, people, "email", of=f"people {words}", filters=["q"])
        return serialized_response(PersonPage, {"next": following, "results": found}, request=request)


class OnePerson(ProjectAPIView):
    @extend_schema(
        operation_id="person",
        summary="Read a person",
        tags=["People"],
        parameters=[PERSON_ETAG],
        responses=ManagedPersonSerializer,
        extensions=ADMINS_ONLY,
        examples=[response_example("An agent", EXAMPLE)],
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        """Return a person who is not erased. Only admins may."""
        return _response(_fetch(request, user_id))

    @extend_schema(
        operation_id="person_change",
        summary="Change a person",
        tags=["People"],
        parameters=[DIGEST_IF_MATCH, PERSON_ETAG],
        extensions={"x-problems": VERSION_PROBLEMS},
        request=PersonChanges,
        responses=ManagedPersonSerializer,
        examples=[
            request_example("An agent of another office", {"role": "agent", "offices": ["Orders"]}),
            response_example("The person", EXAMPLE | {"offices": ["Orders"]}),
        ],
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Change the given fields, all or none. Only admins may; not their own role, nor deactivate themselves.

        What a person may no longer do ends at once, on open pages too. One active admin always stays.
        """
        person = _fetch(request, user_id)
        if not request.headers.get("Content-Length", "").strip("0"):
            raise ValidationError(_("Send the fields to change."))
        values, versions = self.read(PersonChanges), if_match_tags(request)
        try:
            handover.change_person(person, by=request.user, values=values, if_versions=versions)
        except handover.Stale:
            raise VersionOutdated from None
        return _response(_fetch(request, user_id))


def _require_admin(request: Request) -> None:
    if not can_manage_users(request.user):
        raise PermissionDenied(_("Only admins can change people."))


def _words(request: Request) -> str:
    """Return the words of `q`. Raises InvalidParameter."""
    text = request._request.GET.get("q", "")
    if len(text) > MAX_LENGTH:
        raise InvalidParameter({"q": [_("Use at most %(most)d characters.") % {"most": MAX_LENGTH}]})
    if "\0" in text:
        raise InvalidParameter({"q": [_("Enter a single line without control characters.")]})
    return " ".join(text.split())


def _fetch(request: Request, user_id: UUID) -> Any:
    _require_admin(request)
    return get_object_or_404(_with_facts(managed_users(request.user)), pk=user_id)


def _with_facts(people: QuerySet[User]) -> QuerySet[Any]:
    """Add whether they use two-factor authentication, and the number of their open tickets."""
    numbers = handover.open_tickets(OuterRef("pk")).order_by().values("assigned_to").annotate(number=Count("pk"))
    return people.annotate(
        has_two_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))),
        open_tickets=Coalesce(Subquery(numbers.values("number")), 0),
    ).prefetch_related("offices")


def _response(person: Any) -> Response:
    """Return a person with their version as ETag."""
    headers = {"ETag": f'"{handover.version_of(person)}"'}
    return serialized_response(ManagedPersonSerializer, person, headers=headers)
