"""What every page tells its scripts: who is here, where the socket is, and the cursor from before its first query."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.policies import staffed_offices
from realtime.conf import config


def page(request: HttpRequest) -> dict[str, Any]:
    """Add `live`, the configuration of live updates, for signed-in people."""
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
            "time_zone": user.time_zone,
            "channels": [user.channel, *(office.channel for office in staffed_offices(user))],
            "texts": {
                "offline": _("This could not be sent. Your text is kept; please try again."),
                "refused": _("You may not do this any more. Reload the page to see why."),
                "too_many_files": _("That is one file too many; remove another one first."),
                "file_too_large": _("This file is too large."),
                "upload_failed": _("This file could not be sent. Your text is kept."),
            },
        }
    }
