"""Cursor pagination of the API. Cursors are encrypted: positions count notes, which customers never see."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.api.base import InvalidParameter, reject_unknown_parameters
from realtime.utils import encryption
from tickets import list_pages

MAX_PAGE_SIZE = 100
PURPOSE = "api.page"


def page_size(query: QueryDict) -> int:
    """Return the requested page size. Raises InvalidParameter."""
    text = query.get("size", str(list_pages.PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_PAGE_SIZE):
        raise InvalidParameter({"size": [_("Must be a number from 1 to %(most)d.") % {"most": MAX_PAGE_SIZE}]})
    return int(text)


def invalid_cursor(name: str) -> InvalidParameter:
    """Return the error for a cursor of another list or order."""
    return InvalidParameter(
        {name: [_("This cursor belongs to another list or sort order. Start again without a cursor.")]}
    )


def page_url(request: Request, **cursors: str) -> str | None:
    """Return this URL with the given cursor, or None without one."""
    if not any(cursors.values()):
        return None
    query = request._request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    query.update({name: cursor for name, cursor in cursors.items() if cursor})
    return f"{request.path}?{query.urlencode()}"


def paginate_rows(
    request: Request, rows: QuerySet[Any], key: str, *, of: str, filters: Collection[str] = ()
) -> tuple[list[Any], str | None]:
    """Return a page of `rows` ordered by `key`, which is unique, and the URL of the next page.

    `of`, a single line, binds cursors to this list; `filters` are its other parameters.
    """
    query = request._request.GET
    reject_unknown_parameters(query, "after", "size", *filters)
    if "after" in query:
        place = encryption.decrypt(query["after"], purpose=PURPOSE)
        belongs, _separator, value = (place or "").rpartition("\n")
        if belongs != of:
            raise invalid_cursor("after")
        rows = rows.filter(**{f"{key}__gt": value})
    size = page_size(query)
    found = list(rows.order_by(key)[: size + 1])
    if len(found) <= size:
        return found, None
    last = getattr(found[size - 1], key)
    return found[:size], page_url(request, after=encryption.encrypt(f"{of}\n{last}", purpose=PURPOSE))
