"""What the packages of realtime import, and what a process loads that publishes events and serves no sockets."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.support.servers.instances import TOP

# A unit imports only itself and units in lines above its own.
LAYERS = [
    {"installation", "limits", "metrics", "signals"},
    {"conf", "protocol"},
    {"utils"},
    {"channels"},
    {"models"},
    {"broadcasting"},
    {"presence", "webhooks", "websocket"},
    {"server"},
    {"consumers"},
    {"routing", "http", "monitoring"},
    {"doctor"},
    {"serve"},
    {"admin", "checks", "management", "urls"},
    {"apps"},
]
LEVELS = {unit: level for level, layer in enumerate(LAYERS) for unit in layer}
PROJECT = ("accounts", "tickets", "mail", "audit", "tikm", "tests")

NOT_LOADED = (
    "realtime.consumers",
    "realtime.presence.tracker",
    "realtime.serve",
    "realtime.server",
    "realtime.webhooks",
    "realtime.websocket",
    "twisted",
    "uvicorn",
)
PUBLISH = """
import sys
import django
django.setup()

from django.db import connection
from realtime import Audience, Event, models, publish


class Published(Event):
    broadcast_as = "published"

    def broadcast_on(self):
        return ["news"]

    def broadcast_to(self):
        return Audience.PUBLIC

    def broadcast_with(self, audience):
        return {}

    def broadcast_guard(self):
        return ""


with connection.schema_editor() as editor:
    editor.create_model(models.Broadcast)
    editor.create_model(models.Delivery)
publish(Published())
assert models.Delivery.objects.count() == 2
print(*sys.modules)
"""


def test_publishing_does_not_load_the_server() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": "sqlite:///:memory:"}
    command = [sys.executable, "-c", PUBLISH]
    printed = subprocess.run(command, cwd=TOP, env=environment, check=True, capture_output=True, text=True).stdout
    modules = printed.split()
    assert "realtime.broadcasting.publish" in modules
    assert [name for name in modules if name.startswith(NOT_LOADED)] == []


def imported_at_runtime(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, without those for type checkers only."""
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "realtime":
            yield from (f"realtime.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        pending += ast.iter_child_nodes(node)


def modules() -> Iterator[tuple[str, Path]]:
    """Yield each module of realtime with the unit that it belongs to."""
    for path in Path(TOP, "realtime").rglob("*.py"):
        unit = path.relative_to(Path(TOP, "realtime")).parts[0].removesuffix(".py")
        if unit not in ("__init__", "migrations"):
            yield unit, path


def test_packages_import_only_lower_packages() -> None:
    upward = [
        f"{path.relative_to(TOP)} imports {name}"
        for unit, path in modules()
        for name in imported_at_runtime(path)
        if name.startswith("realtime.") and (other := name.split(".")[1]) != unit and LEVELS[other] >= LEVELS[unit]
    ]
    assert upward == []


def test_realtime_imports_no_app_of_the_project() -> None:
    names = set(chain.from_iterable(imported_at_runtime(path) for _, path in modules()))
    assert [name for name in names if name.split(".")[0] in PROJECT] == []
