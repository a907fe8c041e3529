"""Attachments: upload before sending, download with the permission of their message."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as InvalidValue
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from tickets import files, policies
from tickets.api.examples import response_example
from tickets.api.idempotency import create_once
from tickets.api.parameters import IDEMPOTENCY_PARAMETERS, KEY_PROBLEMS
from tickets.api.serializers import AttachmentSerializer, attachment_data
from tickets.api.views.tickets import replay_header
from tickets.files import scanning
from tickets.files.types import TYPES
from tickets.models import Attachment
from tickets.views.files import content_of

FILE = {
    "id": "1a2b3c4d-5e6f-4a0b-9c8d-7e6f5a4b3c2d",
    "filename": "bill.pdf",
    "size": 48213,
    "url": "https://desk.example.com/api/v1/attachments/1a2b3c4d-5e6f-4a0b-9c8d-7e6f5a4b3c2d/content/",
}
CONTENT = OpenApiResponse(OpenApiTypes.BINARY, "The file, with the type of its content.")
FORM = {
    "multipart/form-data": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary", "description": "The file with its name."}},
        "required": ["file"],
    }
}


class Attachments(ProjectAPIView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="attachment_create",
        summary="Upload a file",
        tags=["Files"],
        parameters=IDEMPOTENCY_PARAMETERS,
        request=FORM,
        responses={201: AttachmentSerializer},
        extensions={"x-problems": KEY_PROBLEMS},
        examples=[response_example("A file", FILE, "201")],
    )
    def post(self, request: Request) -> Response:
        """Upload a file for a ticket or reply; it is deleted after a day if it is not sent.

        The type is determined by the content, not by the name.
        """
        upload = _uploaded(request)
        files.count_upload(upload, by=request.user)
        with _field_errors():
            scanning.scan(upload)

        def create() -> tuple[UUID, Attachment]:
            with _field_errors():
                attachment = files.store(upload, by=request.user)
            return attachment.pk, attachment

        own = Attachment.objects.filter(uploader=request.user)
        attachment, is_replay = create_once(
            request, body=_fingerprint(upload), create=create, find=lambda pk: own.filter(pk=pk).first()
        )
        headers = {"Location": reverse("api:attachment", args=[attachment.pk]), **replay_header(is_replay)}
        return serialized_response(
            AttachmentSerializer, attachment_data(attachment), status=201, request=request, headers=headers
        )


class OneAttachment(ProjectAPIView):
    @extend_schema(
        operation_id="attachment",
        summary="Read the name and size of a file",
        tags=["Files"],
        responses=AttachmentSerializer,
        examples=[response_example("A file", FILE)],
    )
    def get(self, request: Request, attachment_id: UUID) -> Response:
        """Return a file's name, size and URL."""
        return serialized_response(
            AttachmentSerializer, attachment_data(_fetch(request, attachment_id)), request=request
        )

    @extend_schema(
        operation_id="attachment_discard",
        summary="Delete a file",
        tags=["Files"],
        request=None,
        responses={204: None},
        extensions={"x-problems": {"403": "The file belongs to a message."}},
    )
    def delete(self, request: Request, attachment_id: UUID) -> Response:
        """Delete a file that you uploaded and did not send."""
        attachment = _fetch(request, attachment_id)
        if not policies.can_discard(request.user, attachment):
            raise PermissionDenied(_("It is already attached to a message."))
        attachment.delete()
        return Response(status=204)


class AttachmentContent(ProjectAPIView):
    @extend_schema(
        operation_id="attachment_content",
        summary="Download a file",
        tags=["Files"],
        responses={(200, kind): CONTENT for kind in TYPES},
    )
    def get(self, request: Request, attachment_id: UUID) -> HttpResponse | FileResponse:
        """Return the content of a file."""
        throttles.count("download", by=request.user)
        return content_of(_fetch(request, attachment_id), as_attachment=True)


def _fetch(request: Request, attachment_id: UUID) -> Attachment:
    return get_object_or_404(policies.visible_attachments(request.user), pk=attachment_id)


@contextmanager
def _field_errors() -> Iterator[None]:
    """Turn errors of a service into errors of the field `file`."""
    try:
        yield
    except InvalidValue as error:
        raise ValidationError({"file": error.messages}) from None


def _uploaded(request: Request) -> Any:
    """Return the uploaded file. Raises ValidationError."""
    upload = request.data.get("file")
    for name in getattr(request._request, "too_large", ()):
        raise ValidationError({"file": files.too_large(name).messages})
    if upload is None or isinstance(upload, str):
        raise ValidationError({"file": files.missing().messages})
    return upload


def _fingerprint(upload: Any) -> bytes:
    """Return the file's name and SHA-256, which identify the request."""
    content = hashlib.sha256()
    for chunk in upload.chunks():
        content.update(chunk)
    upload.seek(0)
    return f"{upload.name} {content.hexdigest()}".encode()
