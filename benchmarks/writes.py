"""Replies per second by the product's service, and the cost of the event log: `python -m benchmarks.writes`.

With everything on, a reply is a row, a timeline entry, an event in the log and in Redis, and frames at two sockets;
without, BROADCAST_CONNECTION is null. The writers share one core; database, Redis, sockets and subscribers are on
another. Both take turns. It takes about two minutes.
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

from benchmarks import clients, cores, replies, report, site
from benchmarks.replies import Recorder
from benchmarks.site import Visitor
from benchmarks.starvation import until
from tests.support.servers import instances

PROCESSES = (1, 4)
BROADCASTING = {"with the log": "channels", "without": "null"}
ARRIVAL = 10  # seconds until the last frame must have arrived


@dataclass
class Writer:
    """A process that replies to one ticket."""

    process: Process
    channel: str

    async def write(self, seconds: float) -> tuple[int, float]:
        """Reply for `seconds`; return the number of replies and the CPU seconds."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n".encode())
        written, cpu = (await self._line()).split()
        return int(written), float(cpu)

    async def _line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode()


@asynccontextmanager
async def writers(pairs: list[tuple[Visitor, Visitor]], connection: str) -> AsyncIterator[list[Writer]]:
    """Start one writer process per pair on the servers' core, in which the agent replies to the customer."""
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
    """Let the writers take turns; return the medians and the delivery errors."""
    recorders = [Recorder(customer.channels[1]) for customer, _ in pairs for _ in range(2)]
    people = [person for pair in pairs for person in pair]
    subscribers = [
        await clients.join(port, person, recorder.record) for person, recorder in zip(people, recorders, strict=True)
    ]
    half = len(pairs) // 2
    async with writers(pairs[:half], "channels") as on, writers(pairs[half:], "null") as off:
        found, made = await take_turns(dict(zip(BROADCASTING, (on, off), strict=True)), options)
    await until(lambda: all(len(each.frames) >= made[each.channel] for each in recorders), ARRIVAL)
    for subscriber in subscribers:
        subscriber.close()
    return table(
        found,
        replies.check(recorders[: 2 * half], made),
        sum(len(recorder.frames) for recorder in recorders[2 * half :]),
    )


async def take_turns(
    teams: dict[str, list[Writer]], options: Namespace
) -> tuple[dict[tuple[int, str], list[tuple[float, float]]], Counter[str]]:
    """Return (replies per second, CPU ms per reply) of each turn, and the replies made on each channel."""
    found, made = defaultdict(list), Counter[str]()
    for number in range(options.rounds + 1):
        for processes in PROCESSES:
            for name, team in teams.items():
                busy = team[:processes]
                written = await asyncio.gather(*(writer.write(options.seconds) for writer in busy))
                made.update({writer.channel: count for writer, (count, _) in zip(busy, written, strict=True)})
                total, cpu = map(sum, zip(*written, strict=True))
                if number:  # the first round includes one-time initialization
                    found[processes, name].append((total / options.seconds, 1000 * cpu / total))
    return found, made


def table(
    found: dict[tuple[int, str], list[tuple[float, float]]], errors: dict[str, int], unexpected: int
) -> list[dict[str, Any]]:
    """Return the rows; fail if an event was delivered with BROADCAST_CONNECTION=null."""
    assert not unexpected, "Events were delivered with BROADCAST_CONNECTION=null."
    rows = []
    for (processes, name), turns in found.items():
        rate, cpu = (median(figures) for figures in zip(*turns, strict=True))
        least = median(rate for rate, _ in found[processes, "without"])
        row = {"writers": f"{processes}, {name}", "replies/s": round(rate, 1), "ms CPU": round(cpu, 2)}
        rows.append(row | {"of without": round(rate / least, 2), **(errors if name != "without" else NOTHING)})
    return rows


NOTHING: dict[str, int | None] = {"lost": None, "doubled": None, "reordered": None}


def main() -> None:
    """Measure and publish the table."""
    options = parse()
    with site.services() as ours:
        visitors = site.gather(4 * max(PROCESSES))
        pairs = list(zip(visitors[::2], visitors[1::2], strict=True))
        with site.sockets(ours, core=cores.LOAD) as server:
            rows = uvloop.run(measure(server.port, pairs, options))
    notes = f"Medians of {options.rounds} rounds of {options.seconds:g} s. PostgreSQL does not wait for the disk."
    report.publish("writes", "Replies by the product's own service", rows, bars="replies/s", notes=notes)
    replies.require_delivery(rows)


def parse() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="per turn")
    return parser.parse_args()


if __name__ == "__main__":
    main()
