"""Replies a second by the verb of the product, and what their log costs: `python -m benchmarks.writes`.

With everything on, a reply is a row, a line of the timeline, an event in the log and in Redis, and frames at two
sockets; without, BROADCAST_CONNECTION is null. The writers share one core; database, Redis, sockets and those who
hear are on another. What is compared takes turns. It takes about two minutes.
"""

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from asyncio.subprocess import PIPE, Process
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import uvloop

from benchmarks import clients, cores, desk, replies, report
from benchmarks.desk import Visitor
from benchmarks.replies import Ear
from benchmarks.starvation import until
from tests.support import instances

PROCESSES = (1, 4)
BROADCASTING = {"with the log": "channels", "without": "null"}
ARRIVAL = 10  # seconds until the last frame has come


@dataclass
class Writer:
    """A process that replies to one ticket."""

    process: Process
    channel: str

    async def write(self, seconds: float) -> tuple[int, float]:
        """Reply for so long; return how often, and how many seconds of CPU that took."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n".encode())
        written, cpu = (await self._line()).split()
        return int(written), float(cpu)

    async def _line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode()


@asynccontextmanager
async def writers(pairs: list[tuple[Visitor, Visitor]], connection: str) -> AsyncIterator[list[Writer]]:
    """Have the agent of each pair ready to reply to the customer, in processes on the servers' core."""
    env = os.environ | {"BROADCAST_CONNECTION": connection}
    started = []
    with cores.on_core(cores.SERVERS):
        for customer, agent in pairs:
            words = sys.executable, "-m", "benchmarks.writer", customer.ticket, agent.person
            process = await asyncio.create_subprocess_exec(
                *words, stdin=PIPE, stdout=PIPE, env=env, cwd=instances.TOP
            )
            started.append(Writer(process, customer.channels[1]))
    try:
        for writer in started:
            assert await writer._line() == "ready\n"
        yield started
    finally:
        for writer in started:
            writer.process.kill()
            await writer.process.wait()


async def measure(port: int, pairs: list[tuple[Visitor, Visitor]], options: Namespace) -> list[dict[str, Any]]:
    """Have the writers take turns; return the medians, and what the sockets have heard of all."""
    ears = [Ear(customer.channels[1]) for customer, _ in pairs for _ in range(2)]
    people = [person for pair in pairs for person in pair]
    listeners = [await clients.join(port, person, ear.hear) for person, ear in zip(people, ears, strict=True)]
    half = len(pairs) // 2
    async with writers(pairs[:half], "channels") as on, writers(pairs[half:], "null") as off:
        found, made = await take_turns(dict(zip(BROADCASTING, (on, off), strict=True)), options)
    await until(lambda: all(len(ear.frames) >= made[ear.channel] for ear in ears), ARRIVAL)
    for listener in listeners:
        listener.close()
    return table(found, replies.check(ears[: 2 * half], made), sum(len(ear.frames) for ear in ears[2 * half :]))


async def take_turns(
    teams: dict[str, list[Writer]], options: Namespace
) -> tuple[dict[tuple[int, str], list[tuple[float, float]]], Counter[str]]:
    """Return replies a second and milliseconds of CPU for each, by turn; and how many were made on each channel."""
    found, made = defaultdict(list), Counter[str]()
    for number in range(options.rounds + 1):
        for processes in PROCESSES:
            for name, team in teams.items():
                busy = team[:processes]
                written = await asyncio.gather(*(writer.write(options.seconds) for writer in busy))
                made.update({writer.channel: count for writer, (count, _) in zip(busy, written, strict=True)})
                total, cpu = map(sum, zip(*written, strict=True))
                if number:  # the first round is what is done once in a process's life
                    found[processes, name].append((total / options.seconds, 1000 * cpu / total))
    return found, made


def table(
    found: dict[tuple[int, str], list[tuple[float, float]]], astray: dict[str, int], heard_of_none: int
) -> list[dict[str, Any]]:
    """Return a row for each; whoever hears of replies without a log has heard nothing."""
    assert not heard_of_none, "What was not to be told was told."
    rows = []
    for (processes, name), turns in found.items():
        rate, cpu = (median(figures) for figures in zip(*turns, strict=True))
        least = median(rate for rate, _ in found[processes, "without"])
        row = {"writers": f"{processes}, {name}", "replies/s": round(rate, 1), "ms CPU": round(cpu, 2)}
        rows.append(row | {"of without": round(rate / least, 2), **(astray if name != "without" else NOTHING)})
    return rows


NOTHING: dict[str, int | None] = {"lost": None, "doubled": None, "reordered": None}


def main() -> None:
    """Measure, and show it."""
    options = parse()
    with desk.services() as ours:
        visitors = desk.gather(4 * max(PROCESSES))
        pairs = list(zip(visitors[::2], visitors[1::2], strict=True))
        with desk.sockets(ours, core=cores.LOAD) as server:
            rows = uvloop.run(measure(server.port, pairs, options))
    notes = f"Medians of {options.rounds} rounds of {options.seconds:g} s. PostgreSQL does not wait for the disk."
    report.publish("writes", "Replies by the product's own verb", rows, bars="replies/s", notes=notes)
    replies.insist(rows)


def parse() -> Namespace:
    """Return how much is to be measured."""
    parser = ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each turn")
    return parser.parse_args()


if __name__ == "__main__":
    main()
