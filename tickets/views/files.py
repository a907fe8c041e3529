"""Attachments: upload before sending, download with the permission of their message."""

from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from accounts import throttles
from accounts.decorators import login_or_token_required
from accounts.types import AuthenticatedRequest
from tickets import files, payloads, policies
from tickets.models import Attachment


@require_POST
@login_required
def upload(request: AuthenticatedRequest) -> HttpResponse:
    """Store the file in the field `file` until it is sent; 422 if it is not accepted."""
    sent = request.FILES.get("file")
    try:
        for name in getattr(request, "too_large", ()):
            raise files.too_large(name)
        if sent is None:
            raise files.missing()
        files.count_upload(sent, by=request.user)
        attachment = files.store(sent, by=request.user)
    except ValidationError as error:
        return throttles.with_retry_after(JsonResponse({"errors": {"file": error.messages}}, status=422), error)
    return JsonResponse({"attachment": payloads.attachment_payload(attachment)}, status=201)


@require_POST
@login_required
def discard(request: AuthenticatedRequest, attachment_id: UUID) -> HttpResponse:
    """Delete a file that was not sent."""
    get_object_or_404(Attachment, pk=attachment_id, ticket=None, uploader=request.user).delete()
    return HttpResponse(status=204)


@require_safe
@login_or_token_required
@cache_control(private=True, no_store=True)
def download(request: AuthenticatedRequest, attachment_id: UUID) -> HttpResponse | FileResponse:
    """Return a file as a download."""
    return content_of(_fetch(request, attachment_id), as_attachment=True)


@require_safe
@login_or_token_required
@cache_control(private=True, no_store=True)
def view(request: AuthenticatedRequest, attachment_id: UUID) -> HttpResponse | FileResponse:
    """Return a raster image for display in the page."""
    attachment = _fetch(request, attachment_id)
    if not attachment.is_image:
        raise Http404
    return content_of(attachment, as_attachment=False)


def _fetch(request: AuthenticatedRequest, attachment_id: UUID) -> Attachment:
    throttles.count("download", by=request.user)
    return get_object_or_404(policies.visible_attachments(request.user), pk=attachment_id)


def content_of(attachment: Attachment, *, as_attachment: bool) -> HttpResponse | FileResponse:
    """Return the file with its stored type; the headers keep browsers from running anything in it."""
    respond = _accelerated if settings.ATTACHMENT_ACCEL_LOCATION else _streamed
    try:
        response = respond(attachment, as_attachment)
    except FileNotFoundError as error:
        raise Http404 from error
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _streamed(attachment: Attachment, as_attachment: bool) -> FileResponse:
    return FileResponse(
        attachment.file.open("rb"),
        as_attachment=as_attachment,
        filename=attachment.filename,
        content_type=attachment.content_type,
    )


def _accelerated(attachment: Attachment, as_attachment: bool) -> HttpResponse:
    """Have nginx send the file from its internal location: the body of this response is never seen."""
    name = str(attachment.file.name)
    if not attachment.file.storage.exists(name):
        raise FileNotFoundError(name)
    response = HttpResponse(content_type=attachment.content_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment, attachment.filename) or ""
    response["X-Accel-Redirect"] = settings.ATTACHMENT_ACCEL_LOCATION + quote(name)
    return response
