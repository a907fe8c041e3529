"""Limits on the work and the output of one message."""

from typing import Any

MAX_STEPS = 10_000  # lines and positions that the rules look at
MAX_LEVEL = 20  # quotes and lists in each other
MAX_CELLS = 3_000  # of all tables of a message
MAX_COLUMNS = 30


class TooComplex(Exception):
    """The message exceeds a limit; it is shown as plain text."""


def take_step(state: Any, *_: Any) -> bool:
    """Count a step of the parser; the first of the rules at each position. Raises TooComplex."""
    state.env["steps"] = state.env.get("steps", 0) + 1
    if state.env["steps"] > MAX_STEPS or state.level > MAX_LEVEL:
        raise TooComplex
    return False


def take_cells(env: Any, cells: int) -> bool:
    """Return whether the message may have a table with so many cells, and count them."""
    total = env.get("cells", 0) + cells
    if total > MAX_CELLS:
        return False
    env["cells"] = total
    return True
