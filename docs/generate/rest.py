"""The REST API: its endpoints, from the OpenAPI document."""

from collections import defaultdict
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from docs.generate.markdown import code, summary, table

PREFIX = "/api/v1/"


def rest_api() -> str:
    """Return a table for each group of endpoints."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    groups = defaultdict(list)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups[operation["tags"][0]].append(_row(method, path, operation))
    header = ("request", "does", "parameters", "answers")
    return "\n".join(f"## {group}\n\n{table(header, rows)}" for group, rows in groups.items())


def _row(method: str, path: str, operation: dict[str, Any]) -> tuple[str, ...]:
    names = [each["name"] for each in operation.get("parameters", ()) if each["in"] != "path"]
    statuses = [status for status in operation["responses"] if status.startswith("2")]
    return (
        code(f"{method.upper()} {path.removeprefix(PREFIX)}"),
        summary(operation.get("description") or operation["summary"]),
        ", ".join(code(name) for name in names),
        ", ".join(statuses),
    )
