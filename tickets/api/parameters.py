"""Parameters and headers as the OpenAPI document describes them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from tickets.forms.lists import SORTS
from tickets.list_queries import PAGE_SIZE
from tickets.search import MAX_LENGTH, MAX_WORDS

DAY = {"type": "string", "format": "date", "pattern": r"^(19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2}$"}
ROW = {"type": "string", "pattern": "^[0-9]{1,9}$"}
PERSON = {"type": "string", "pattern": "^(me|none|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$"}
VIEW = {"type": "string", "pattern": "^(active|closed|all|waiting|[0-9]{1,9})$"}
WORDS = {"type": "string", "pattern": r"^[^\u0000]*$", "minLength": 1, "maxLength": MAX_LENGTH}
CURSOR = {"type": "string", "pattern": "^[A-Za-z0-9_=-]+$"}


def query(name: str, schema: Any, text: str, **more: Any) -> OpenApiParameter:
    """Return a parameter of the address."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=text, **more)


AFTER = query("after", CURSOR, "The cursor from `next`.")
SIZE = query("size", {"type": "integer", "minimum": 1, "maximum": 100, "default": PAGE_SIZE}, "Page size.")
LIST_PARAMETERS = [
    query("q", WORDS, f"Search terms (at most {MAX_WORDS}), matched in subject, messages, reference and customer."),
    query("status", VIEW, "`active` (default), `closed`, `all`, `waiting` (customers only), or a status's id."),
    query("priority", ROW, "A priority's id. Staff only."),
    query("office", ROW, "An office's id. Staff only."),
    query("assignee", PERSON, "`me`, `none`, or a user's id. Staff only."),
    query("created_from", DAY, "Created on or after this day."),
    query("created_to", DAY, "Created on or before this day."),
    query("updated_from", DAY, "Updated on or after this day."),
    query("updated_to", DAY, "Updated on or before this day."),
    query(
        "sort",
        OpenApiTypes.STR,
        "Sort order. Sorting by priority is for staff only.",
        enum=[name for name, _label in SORTS],
    ),
    AFTER,
    query("before", CURSOR, "The cursor from `previous`."),
    SIZE,
]
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'},
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag you last read, or `*` to overwrite.",
)
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The ticket's version, for `If-Match`. Changes of status, priority, assignee, office or "
    "subject raise it; replies do not. Only for staff with access to the ticket.",
)
REPLY_ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The reply's version, for `If-Match`. Publishing a note changes it. Only for staff with "
    "access to the ticket.",
)
LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[201], description="URL of the created resource."
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[201],
    description="`true` if an earlier request with the same key created the resource.",
)
IDEMPOTENCY_PARAMETERS = [
    OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "pattern": "^[!-~]{1,255}$"},
        OpenApiParameter.HEADER,
        description="A unique key such as a UUID. Repeating a request with the same key within a day does not "
        "create a duplicate.",
    ),
    LOCATION,
    REPLAYED,
]
VERSION_PROBLEMS = {
    "412": "The resource has changed since you read it (`version_outdated`).",
    "428": "If-Match is missing (`version_required`).",
}
KEY_PROBLEMS = {"410": "The resource created with this key has been deleted."}
