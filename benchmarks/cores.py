"""Two cores: one for the measured servers, one for everything else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

SERVERS, LOAD = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run processes started in the block on this core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
