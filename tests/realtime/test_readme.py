"""The README names each setting, and each option of a channel pattern."""

import inspect
import re
from dataclasses import fields

import pytest

from realtime import channels
from realtime.conf import Config
from tests.support.servers.instances import TOP

README = (TOP / "realtime/README.md").read_text()
CODE = re.compile(r"`([^`]+)`")


def first_cells(beginning: str) -> list[list[str]]:
    """Return the cells of the table rows after this heading."""
    _, _, rest = README.partition(beginning)
    rows = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return [line.strip("|").split("|") for line in rows]


def test_readme_lists_every_setting() -> None:
    listed = [key for row in first_cells("## Settings") for key in CODE.findall(row[0])]
    assert sorted(listed) == sorted(field.name.upper() for field in fields(Config))


@pytest.mark.parametrize("name", ["public", "private", "presence"])
def test_readme_lists_every_option_of_a_pattern(name: str) -> None:
    options = next(CODE.findall(row[2]) for row in first_cells("## Channels") if row[0].startswith(f" `{name}("))
    parameters = inspect.signature(getattr(channels, name)).parameters.values()
    assert set(options) == {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
