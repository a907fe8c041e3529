"""Organizations, their domains and their members: for admins."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Address, Body, Flag, Line
from tickets import policies
from tickets.api.examples import request_example, response_example
from tickets.api.paging import paginate_rows
from tickets.api.parameters import AFTER, DIGEST_IF_MATCH, ORGANIZATION_ETAG, SIZE, VERSION_PROBLEMS
from tickets.api.serializers import CustomerSerializer
from tickets.api.views.tickets import VersionOutdated, if_match_tags
from tickets.models import Organization, OrganizationMember
from tickets.people import organizations

EXAMPLE = {"id": 1, "name": "Acme", "members_see_tickets": True, "domains": ["acme.example"]}
MEMBER = {
    "id": "5c1d2e3f-0a9b-4c8d-8e7f-6a5b4c3d2e1f",
    "name": "Casey Rivers",
    "email": "casey@acme.example",
    "is_manual": False,
}
ADMINS_ONLY = {"x-problems": {"403": "You are not an admin."}}
SEES = "Whether members read the public conversation of each other's tickets, and may reply."
DOMAINS = "Customers with a verified address at one of these domains are members."


class OrganizationSerializer(serializers.Serializer):  # type: ignore[misc]
    """An organization of customers."""

    id = serializers.IntegerField(help_text="Never changes.")
    name = serializers.CharField(help_text="Its name.")
    members_see_tickets = serializers.BooleanField(help_text=SEES)
    domains = serializers.ListField(child=serializers.CharField(), help_text=DOMAINS)


class OrganizationPage(serializers.Serializer):  # type: ignore[misc]
    """A page of organizations."""

    next = Address(allow_null=True, help_text="The URL of the next page; null on the last page.")
    results = OrganizationSerializer(many=True, help_text="The organizations.")


class OrganizationBody(Body):
    """An organization to save."""

    name = Line(max_length=100, help_text="No other organization has it.")
    members_see_tickets = Flag(required=False, help_text=SEES)
    domains = serializers.ListField(
        child=Line(max_length=253), required=False, max_length=organizations.MAX_DOMAINS, help_text=DOMAINS
    )


class OrganizationChanges(OrganizationBody):
    """The fields to change."""

    name = Line(max_length=100, required=False, help_text="No other organization has it.")


class MemberSerializer(CustomerSerializer):
    """A member."""

    is_manual = serializers.BooleanField(help_text="Added by hand: no address changes it.")


class MemberPage(serializers.Serializer):  # type: ignore[misc]
    """A page of members."""

    next = Address(allow_null=True, help_text="The URL of the next page; null on the last page.")
    results = MemberSerializer(many=True, help_text="The members.")


class NewMemberBody(Body):
    """A person to add."""

    person = Line(
        max_length=400,
        help_text="An id or the whole name, an email address, or `Name <address>`; an unknown address gets an "
        "account.",
    )


class Organizations(ProjectAPIView):
    @extend_schema(
        operation_id="organizations",
        summary="List organizations",
        tags=["Organizations"],
        parameters=[AFTER, SIZE],
        responses=OrganizationPage,
        extensions=ADMINS_ONLY,
        examples=[response_example("An organization", {"next": None, "results": [EXAMPLE]})],
    )
    def get(self, request: Request) -> Response:
        """List the organizations in the order in which they were added. Only admins may."""
        found, following = paginate_rows(request, _rows(request), "pk", of="organizations")
        page = {"next": following, "results": [_data(row) for row in found]}
        return serialized_response(OrganizationPage, page, request=request)

    @extend_schema(
        operation_id="organization_create",
        summary="Add an organization",
        tags=["Organizations"],
        parameters=[ORGANIZATION_ETAG],
        request=OrganizationBody,
        responses={201: OrganizationSerializer},
        examples=[
            request_example("An organization", {"name": "Acme", "domains": ["acme.example"]}),
            response_example("The organization", EXAMPLE, "201"),
        ],
    )
    def post(self, request: Request) -> Response:
        """Add an organization; the customers at its domains are members at once. Only admins may."""
        _rows(request)
        return _saved(request, Organization(), self.read(OrganizationBody), status=201)


class OneOrganization(ProjectAPIView):
    @extend_schema(
        operation_id="organization",
        summary="Read an organization",
        tags=["Organizations"],
        parameters=[ORGANIZATION_ETAG],
        responses=OrganizationSerializer,
        extensions=ADMINS_ONLY,
        examples=[response_example("An organization", EXAMPLE)],
    )
    def get(self, request: Request, pk: int) -> Response:
        """Return an organization. Only admins may."""
        return _response(_fetch(request, pk))

    @extend_schema(
        operation_id="organization_change",
        summary="Change an organization",
        tags=["Organizations"],
        parameters=[DIGEST_IF_MATCH, ORGANIZATION_ETAG],
        extensions={"x-problems": VERSION_PROBLEMS},
        request=OrganizationChanges,
        responses=OrganizationSerializer,
        examples=[
            request_example("Members no longer see each other's tickets", {"members_see_tickets": False}),
            response_example("The organization", EXAMPLE | {"members_see_tickets": False}),
        ],
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change the given fields, all or none; `domains` replaces all of them. What members lose ends at once."""
        organization = _fetch(request, pk)
        if not request.headers.get("Content-Length", "").strip("0"):
            raise ValidationError(_("Send the fields to change."))
        values, versions = self.read(OrganizationChanges), if_match_tags(request)
        try:
            return _saved(request, organization, values, if_versions=versions)
        except organizations.Stale:
            raise VersionOutdated from None

    @extend_schema(
        operation_id="organization_delete",
        summary="Delete an organization",
        tags=["Organizations"],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Delete an organization. Its members stay customers, and see each other's tickets no more."""
        organizations.delete_organization(_fetch(request, pk), by=request.user)
        return Response(status=204)


class Members(ProjectAPIView):
    @extend_schema(
        operation_id="members",
        summary="List members",
        tags=["Organizations"],
        parameters=[AFTER, SIZE],
        responses=MemberPage,
        extensions=ADMINS_ONLY,
        examples=[response_example("A member", {"next": None, "results": [MEMBER]})],
    )
    def get(self, request: Request, pk: int) -> Response:
        """List the members of an organization in the order in which they joined. Only admins may."""
        rows = _fetch(request, pk).members.select_related("user")
        found, following = paginate_rows(request, rows, "pk", of=f"members {pk}")
        page = {"next": following, "results": [_member_data(row) for row in found]}
        return serialized_response(MemberPage, page, request=request)

    @extend_schema(
        operation_id="member_add",
        summary="Add a member",
        tags=["Organizations"],
        request=NewMemberBody,
        responses={201: MemberSerializer},
        examples=[
            request_example("A known person", {"person": "casey@acme.example"}),
            response_example("The member", MEMBER | {"is_manual": True}, "201"),
        ],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Add a customer by hand, who is removed from another organization by it.

        It undoes a removal by hand. A request for someone who is a member already succeeds and changes nothing.
        """
        organization = _fetch(request, pk)
        throttles.count("ticket", by=request.user)
        text = self.read(NewMemberBody)["person"]
        person = organizations.add_named_member(organization, text, by=request.user)
        row = OrganizationMember.objects.select_related("user").get(user=person)
        return serialized_response(MemberSerializer, _member_data(row), status=201)


class OneMember(ProjectAPIView):
    @extend_schema(
        operation_id="member_remove",
        summary="Remove a member",
        tags=["Organizations"],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, pk: int, user_id: UUID) -> Response:
        """Remove a member. They stay removed, whatever their addresses, until they are added by hand."""
        organization = _fetch(request, pk)
        row = get_object_or_404(organization.members.select_related("user"), user=user_id)
        organizations.remove_member(organization, by=request.user, person=row.user)
        return Response(status=204)


def _rows(request: Request) -> QuerySet[Organization]:
    """Return all organizations. Raises PermissionDenied for those who may not see them."""
    if not policies.can_manage_organizations(request.user):
        raise PermissionDenied(_("Only admins can change organizations."))
    return Organization.objects.prefetch_related("domains")


def _fetch(request: Request, pk: int) -> Organization:
    return get_object_or_404(_rows(request), pk=pk)


def _saved(
    request: Request,
    organization: Organization,
    values: dict[str, Any],
    *,
    status: int = 200,
    if_versions: set[str] | None = None,
) -> Response:
    domains = values.pop("domains", None)
    for name, value in values.items():
        setattr(organization, name, value)
    organizations.save_organization(organization, by=request.user, domains=domains, if_versions=if_versions)
    return _response(_fetch(request, organization.pk), status=status)


def _response(row: Organization, *, status: int = 200) -> Response:
    """Return an organization with its version as ETag."""
    return serialized_response(
        OrganizationSerializer, _data(row), status=status, headers={"ETag": f'"{row.version}"'}
    )


def _data(row: Organization) -> dict[str, Any]:
    domains = [each.domain for each in row.domains.all()]
    return {"id": row.pk, "name": row.name, "members_see_tickets": row.members_see_tickets, "domains": domains}


def _member_data(row: OrganizationMember) -> dict[str, Any]:
    user = row.user
    return {"id": user.pk, "name": user.name, "email": user.email, "is_manual": row.is_manual}
