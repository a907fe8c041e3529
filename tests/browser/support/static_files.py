"""The site's application, its static files served from memory, as a reverse proxy in front of it would serve them.

A page loads some seventy of them. Each costs Django several milliseconds, and a development server has the browser
ask for all of them again with the next page: that was a third of what the browser tests took.
"""

import mimetypes
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders

from tikm.asgi import application as site

CACHED = b"max-age=86400"  # no file changes while a server of the tests runs


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve a static file, or leave the request to the site."""
    is_asset = scope["type"] == "http" and scope["path"].startswith(settings.STATIC_URL)
    file = _file(scope["path"].removeprefix(settings.STATIC_URL)) if is_asset else None
    if file is None:
        await site(scope, receive, send)
        return
    kind, body = file
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"cache-control", CACHED)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@cache
def _file(name: str) -> tuple[bytes, bytes] | None:
    """Return the type and content of a static file, None if there is none of this name."""
    if (found := finders.find(name)) is None:
        return None
    kind, _ = mimetypes.guess_type(found)
    return (kind or "application/octet-stream").encode(), Path(found).read_bytes()
