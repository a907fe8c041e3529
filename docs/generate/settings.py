"""The settings: what the code reads from the environment, and which values it accepts.

What each one is, and its default in words, is in the table of the README, where a newcomer looks for it.
"""

import os
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from django.core.exceptions import ImproperlyConfigured

from docs.generate.markdown import code, table
from tikm import environment

TOP = Path(__file__).parents[2]
ROW = re.compile(r"^\| (`[A-Z][^|]*) \| (.*?) \| (.*?) \|$", re.MULTILINE)
NAME = re.compile(r"`([A-Z_]+)`")
EXPECTED = re.compile(r"\b[Ss]et it to (.*)\.$")
LINK = re.compile(r"\]\((?!http)(?:docs/)?")  # relative to the README
# An environment that is accepted. Each name in turn has a value that is refused, unless all are accepted.
ACCEPTED = {
    "SECRET_KEY": "k9J" * 20,
    "ALLOWED_HOSTS": "desk.example.com",
    "REALTIME_APP_SECRET": "s7Q" * 12,
    "DEFAULT_FROM_EMAIL": "TIKM <desk@example.com>",
    "OIDC_ISSUER": "https://login.example.com/realms/desk",
    "OIDC_CLIENT_ID": "desk",
    "OIDC_CLIENT_SECRET": "p4W" * 12,
}
REFUSED = ("?", "-1", "a b", "<>", ":")


def settings() -> str:
    """Return all names, what each is, the values it accepts, and its default."""
    if missing := _read_by_the_code() - set(NAME.findall(" ".join(row[0] for row in _rows()))):
        raise LookupError(f"The table of the README lacks {', '.join(sorted(missing))}.")
    rows = []
    for names, meaning, default in _rows():
        for name in NAME.findall(names):
            accepted = _accepted(name)
            rows.append((code(name), LINK.sub("](../", meaning), accepted, LINK.sub("](../", default)))
    return table(("name", "is", "accepts", "default"), rows)


def _rows() -> list[tuple[str, str, str]]:
    return ROW.findall((TOP / "README.md").read_text())


def _read_by_the_code() -> set[str]:
    """Return the names that the settings read."""
    read: set[str] = set()

    def text(name: str, default: str = "") -> str:
        read.add(name)
        return os.environ.get(name, "").strip() or default

    with patch.dict(os.environ, ACCEPTED, clear=True), patch.object(environment, "text", text):
        runpy.run_path(str(TOP / "tikm/settings.py"))
    return read


def _accepted(name: str) -> str:
    """Return what the message about a refused value asks for, or an empty string if none is refused."""
    for sentence in _refusals(name):
        found = EXPECTED.search(sentence)
        if found and re.match(rf"{name}\b", sentence):
            return found[1]
    return ""


def _refusals(name: str) -> Iterator[str]:
    for value in REFUSED:
        with patch.dict(os.environ, ACCEPTED | {name: value}, clear=True):
            try:
                runpy.run_path(str(TOP / "tikm/settings.py"))
            except ImproperlyConfigured as error:
                yield str(error)
