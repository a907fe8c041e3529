"""The context processor of pages: the configuration of live updates."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.policies import staffed_offices
from realtime.broadcasting.events import iso
from realtime.conf import config


def page(request: HttpRequest) -> dict[str, Any]:
    """Return `live` for signed-in users; its cursor was read before the page's first query."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    settings = config()
    return {
        "live": {
            "key": settings.app_key,
            "host": settings.host,
            "port": settings.port,
            "scheme": settings.scheme,
            "debug": settings.debug,
            "cursor": getattr(request, "realtime_cursor", ""),
            "user": str(user.pk),
            "now": iso(timezone.now()),
            "time_zone": user.time_zone,
            "channels": [user.channel, *(office.channel for office in staffed_offices(user))],
            "texts": {
                "offline": _("Couldn't send. Check your connection and try again; your text is kept."),
                "sending": _("Sending…"),
                "sent_later": _("Not sent yet. It will be sent when the connection is back."),
                "not_saved": _("Couldn't save. Check your connection and try again."),
                "signed_out": _("You're signed out. Sign in and try again."),
                "refused": _("You no longer have permission to do this. Reload the page."),
                "too_many_files": _("Too many files. Remove one first."),
                "file_too_large": _("This file is too large."),
                "upload_failed": _("Couldn't upload this file. Check your connection and try again."),
            },
        }
    }
