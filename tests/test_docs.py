"""Documentation names only files and modules that exist. `make docs` checks its links."""

import importlib
import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
DOCS = [
    *(TOP / name for name in ("README.md", "CONTRIBUTING.md", "realtime/README.md")),
    *sorted((TOP / "docs").rglob("*.md")),
]
FOLDERS = "accounts|benchmarks|deploy|docs|jobs|mail|realtime|requirements|static|templates|tests|tickets|tikm"
PATH = re.compile(rf"`((?:{FOLDERS}|\.ci)/[\w./-]*)`")
MODULE = re.compile(r"`((?:accounts|realtime|tickets|tikm(?!\.(?:service|socket)))(?:\.\w+)+)(?:\(.*?\))?`")
DECISION = re.compile(r"^# (\d+)\. \S")


def name(page):
    return str(page.relative_to(TOP))


def resolves(dotted):
    """Return whether a dotted name is a module, or an attribute of one."""
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        for part in parts[size:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_search_finds_paths_and_modules_to_check():
    text = (TOP / "docs/architecture.md").read_text()
    assert "tickets/services.py" in PATH.findall(text)
    assert "realtime.publish" in MODULE.findall(text)
    assert not resolves("realtime.no_such_module")


@pytest.mark.parametrize("doc", DOCS, ids=name)
def test_page_names_existing_files(doc):
    missing = [path for path in PATH.findall(doc.read_text()) if not (TOP / path).exists()]
    assert not missing


@pytest.mark.parametrize("doc", DOCS, ids=name)
def test_page_names_existing_modules(doc):
    missing = [dotted for dotted in MODULE.findall(doc.read_text()) if not resolves(dotted)]
    assert not missing


def test_decisions_are_numbered_as_their_files():
    for page in (TOP / "docs/decisions").glob("0*.md"):
        assert int(DECISION.match(page.read_text())[1]) == int(page.name[:4])
