"""The archive of a person's data."""

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import FileResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST

from accounts import throttles
from accounts.models import User
from accounts.types import AuthenticatedRequest
from tickets.privacy.archive import archive_name, temporary_archive
from tickets.signals import person_exported


@require_POST
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@cache_control(private=True, no_store=True)
def download_data(request: AuthenticatedRequest) -> FileResponse:
    """Return the user's own data as a zip archive."""
    throttles.count("export", by=request.user)
    return archive_response(request.user)


def archive_response(person: User) -> FileResponse:
    """Return what is known of `person` as a zip archive."""
    person_exported.send(User, person=person)
    return FileResponse(
        temporary_archive(person),
        as_attachment=True,
        filename=archive_name(person),
        content_type="application/zip",
    )
