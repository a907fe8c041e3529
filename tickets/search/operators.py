"""Operators in the search field, such as `tag:refund`: they become filters of the list, beside the words."""

import re
from datetime import date, timedelta

from django.http import QueryDict

# The parameter of the list that each operator sets.
PUBLIC = {"status": "status", "after": "created_from", "before": "created_to"}
STAFF = {
    **PUBLIC,
    "priority": "priority",
    "office": "office",
    "assignee": "assignee",
    "tag": "tag",
    "from": "customer",
}
_OPERATOR = re.compile(r'(?<!\S)([a-z]+):(?:"([^"]+)"|([^\s":][^\s"]*))(?!\S)', re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def expanded(query: QueryDict, *, is_staff: bool) -> QueryDict:
    """Return the query with the operators in `q` as parameters, which they replace; `q` keeps the words.

    What is no operator, or none that the user may filter by, is words. Several of a kind are several values, of which
    the list uses the last one where it has one only: the customer, and the days.
    """
    found: dict[str, list[str]] = {}

    def take(match: re.Match[str]) -> str:
        name, value = match[1].lower(), match[2] or match[3]
        parameter = (STAFF if is_staff else PUBLIC).get(name)
        value = _day(name, value) if name in ("after", "before") else value
        if parameter is None or value is None:
            return match[0]
        found.setdefault(parameter, []).append(value)
        return ""

    words = _OPERATOR.sub(take, query.get("q", ""))
    if not found:
        return query
    query = query.copy()
    query["q"] = " ".join(words.split())
    for parameter, values in found.items():
        query.setlist(parameter, values)
    if not query["q"]:
        query.setdefault("status", "all")  # like words, operators look at all tickets
    return query


def _day(name: str, text: str) -> str | None:
    """Return the first or the last day of a period; None if the text is no day."""
    try:
        day = date.fromisoformat(text if _DAY.fullmatch(text) else "")
        return str(day - timedelta(days=1) if name == "before" else day)
    except (ValueError, OverflowError):
        return None
