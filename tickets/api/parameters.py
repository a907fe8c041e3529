"""Parameters and headers for the OpenAPI document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from tickets.forms.filters import BEST, FIRST_BACK, SORTS
from tickets.list_pages import PAGE_SIZE
from tickets.search import MAX_LENGTH, MAX_WORDS

DATE = {"type": "string", "format": "date", "pattern": r"^(19[7-9][0-9]|2[0-9]{3})-[0-9]{2}-[0-9]{2}$"}
NAME_OR_ID = {"type": "string", "pattern": r"^[^\u0000]*$", "minLength": 1, "maxLength": 100}
SEVERAL = {"type": "array", "items": NAME_OR_ID, "minItems": 1}  # the parameter is repeated
WORDS = {"type": "string", "pattern": r"^[^\u0000]*$", "minLength": 1, "maxLength": MAX_LENGTH}
CURSOR = {"type": "string", "pattern": "^[A-Za-z0-9_=-]+$"}


def query(name: str, schema: Any, text: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=text, **more)


AFTER = query("after", CURSOR, "The cursor from `next`.")
SIZE = query(
    "size", {"type": "integer", "minimum": 1, "maximum": 100, "default": PAGE_SIZE}, "The maximum number of results."
)
LIST_PARAMETERS = [
    query(
        "q",
        WORDS,
        f'Words in subject, messages, reference, customer; `"phrases"`, `-word` to exclude: at most {MAX_WORDS}. '
        "Operators such as `status:closed` or `tag:refund` are the other parameters, and may be repeated alike.",
    ),
    query("search", WORDS, "The same as `q`."),
    query(
        "status",
        SEVERAL,
        "`active`, `closed`, `all` (the default), `waiting` (for a reply of your side), `unread` (with messages "
        "that you have not read), `snoozed` (staff only), or a status by name or id. Repeat it for tickets with any "
        "of several.",
    ),
    query("priority", SEVERAL, "A priority by name or id; repeat it for any of several. Staff only."),
    query("office", SEVERAL, "An office by name or id; repeat it for any of several. Staff only."),
    query("assignee", SEVERAL, "`me`, `none`, or a user by name or id; repeat it for any of several. Staff only."),
    query("tag", SEVERAL, "A tag by name or id; repeat it for tickets with any of several. Staff only."),
    query("customer", NAME_OR_ID, "Words in the name or address of the customer. Staff only."),
    query("created_from", DATE, "Opened on this date or later."),
    query("created_to", DATE, "Opened on this date or earlier."),
    query("updated_from", DATE, "Last updated on this date or later."),
    query("updated_to", DATE, "Last updated on this date or earlier."),
    query(
        "sort",
        OpenApiTypes.STR,
        "The sort order. Priority is for staff only; `relevance`, the default of a search, for searches only, and "
        "`snoozed` for `status=snoozed` only.",
        enum=[name for name, _label in (BEST, *SORTS, FIRST_BACK)],
    ),
    AFTER,
    query("before", CURSOR, "The cursor from `previous`."),
    SIZE,
]
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'},
    OpenApiParameter.HEADER,
    description="The ETag of the version that you read: if there is a newer one, the change fails with 412. Without "
    "it, or with `*`, the change applies to any version.",
)
ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The ticket's version, for `If-Match`. A change of status, priority, assignee, office or subject "
    "increments it; a reply does not. Sent to staff of the ticket only.",
)
REPLY_ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The reply's version, for `If-Match`. It changes when a note is made public. Sent to staff of the "
    "ticket only.",
)
ORGANIZATION_ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="The organization's version with its domains, for `If-Match`.",
)
# Without a pattern: what is no tag is no version, and gets 412 too.
DIGEST_IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description=IF_MATCH.description
)
PERSON_ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="The version of name, role, offices and `is_active`, for `If-Match`.",
)
LOCATION = OpenApiParameter(
    "Location", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[201], description="The URL of the new object."
)
REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    {"type": "string", "enum": ["true"]},
    OpenApiParameter.HEADER,
    response=[201],
    description="An earlier request with the same key created this object.",
)
IDEMPOTENCY_PARAMETERS = [
    OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "pattern": "^[!-~]{1,255}$"},
        OpenApiParameter.HEADER,
        description="A unique key, such as a UUID. A request repeated with it within a day creates nothing twice.",
    ),
    LOCATION,
    REPLAYED,
]
VERSION_PROBLEMS = {
    "412": "The object has changed since you read it (`version_outdated`). Read it again.",
}
UNSEEN_PROBLEMS = {
    "409": "The key was used with another request (`key_reused`), or others have added messages after `seen` "
    "(`unseen_messages`): read them, then send the reply with the latest one as `seen`, or change it.",
}
KEY_PROBLEMS = {
    "409": "The key was used with another request (`key_reused`).",
    "410": "The object that the first request with this key created has been deleted.",
}
