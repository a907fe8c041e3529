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
SIZE = query("size", {"type": "integer", "minimum": 1, "maximum": 100, "default": PAGE_SIZE}, "How many at most.")
LIST_PARAMETERS = [
    query("q", WORDS, f"Words of subject, messages, reference and customer: at most {MAX_WORDS}."),
    query("status", VIEW, "`active` (the default), `closed`, `all`, for customers `waiting`, or a status's id."),
    query("priority", ROW, "A priority's id. Staff only."),
    query("office", ROW, "An office's id. Staff only."),
    query("assignee", PERSON, "`me`, `none`, or a person's id. Staff only."),
    query("created_from", DAY, "Opened on this day or later."),
    query("created_to", DAY, "Opened on this day or before."),
    query("updated_from", DAY, "Changed last on this day or later."),
    query("updated_to", DAY, "Changed last on this day or before."),
    query("sort", OpenApiTypes.STR, "The order; by priority for staff only.", enum=[name for name, _label in SORTS]),
    AFTER,
    query("before", CURSOR, "The cursor from `previous`."),
    SIZE,
]
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'},
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of what you change, as you saw it; `*` changes it whatever it is.",
)
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The ticket's version, for `If-Match`: a status, priority, assignee, office or subject that changes "
    "raises it, a reply does not. Only for staff of the ticket, who alone can change it.",
)
REPLY_ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The reply's version, for `If-Match`: a note that is made public gets another one. Only for staff of "
    "the ticket, who alone can change it.",
)
LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[201], description="Where it is."
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[201],
    description="This was made by an earlier request with the same key.",
)
IDEMPOTENCY_PARAMETERS = [
    OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "pattern": "^[!-~]{1,255}$"},
        OpenApiParameter.HEADER,
        description="A key of your own, such as a UUID: sent again within a day, the request makes nothing twice.",
    ),
    LOCATION,
    REPLAYED,
]
VERSION_PROBLEMS = {
    "412": "It has changed since you saw it (`version_outdated`): read it again.",
    "428": "If-Match is missing (`version_required`).",
}
KEY_PROBLEMS = {"410": "What the first request with this key made has been deleted meanwhile."}
