"""Two cores: one for the servers that are measured, one for everything else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

SERVERS, LOAD = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Have what is started while the block runs run on this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
