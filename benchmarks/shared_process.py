"""The effect of rendering pages on the latency of live events: `python -m benchmarks.shared_process`.

20 events per second go to the sockets of one server process while ticket pages are opened: none, in the same process,
or in another process on the same core. The conditions take turns in each round. It takes about two minutes.
"""

import asyncio
import json
import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from benchmarks import clients, cores, latency, replies, report, site
from benchmarks.site import Visitor
from benchmarks.starvation import EVENT, Publisher, until
from benchmarks.visits import visiting
from tests.integration.servers.serve import Serve

RATE = 20  # events per second
SIZE = 650  # bytes of an event
ARRIVAL = 5  # seconds until the last event must have arrived
AT_ONCE = 50  # sockets that connect at the same time
MARK = f'"{EVENT}"'.encode()


class SocketsOnly(Serve):
    """The production server, sockets only."""

    words = "manage.py serve --sockets-only --port {port}"


@dataclass
class Measurement:
    """One condition in all rounds."""

    delays: list[float] = field(default_factory=list)  # milliseconds, of every event at every socket
    pages: list[float] = field(default_factory=list)  # milliseconds of each page
    failed: int = 0
    errors: dict[str, int] = field(default_factory=lambda: {"lost": 0, "doubled": 0, "reordered": 0})

    def row(self, name: str) -> dict[str, Any]:
        """Return the row of the table."""
        p50, p99 = _cuts(self.delays)
        page50, page99 = _cuts(self.pages) if self.pages else (None, None)
        events = {"server": name, "p50 ms": p50, "p99 ms": p99, "page p50 ms": page50, "page p99 ms": page99}
        return {**events, "failed pages": self.failed, **self.errors}


def _cuts(figures: list[float]) -> tuple[float, float]:
    """Return the 50th and 99th percentile."""
    cuts = quantiles(figures, n=100, method="inclusive")
    return round(cuts[49], 1), round(cuts[98], 1)


class Socket:
    """A subscribed socket, and when it received what."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, bytes]] = []

    def record(self, payload: bytes) -> None:
        """Keep a measured event, to be parsed after the measurement."""
        if MARK in payload:
            self.frames.append((time.perf_counter(), payload))

    def add_to(self, measurement: Measurement, published: int) -> None:
        """Add the latencies and errors of `published` events."""
        events = [(moment, json.loads(json.loads(frame)["data"])) for moment, frame in self.frames]
        numbers = [data["number"] for _, data in events]
        measurement.delays += [1000 * (moment - data["at"]) for moment, data in events]
        measurement.errors["lost"] += published - len(set(numbers))
        measurement.errors["doubled"] += len(numbers) - len(set(numbers))
        measurement.errors["reordered"] += numbers != sorted(numbers)


async def measure(port: int, agents: list[Visitor], options: Namespace) -> tuple[list[Socket], int]:
    """Publish to the office of `agents`, who have several sockets each; return these and the number of events."""
    sockets, turns = [Socket() for _ in range(options.sockets)], asyncio.Semaphore(AT_ONCE)

    async def join(agent: Visitor, socket: Socket) -> clients.Client:
        async with turns:
            return await clients.join(port, agent, socket.record)

    joined = await asyncio.gather(*map(join, cycle(agents), sockets))
    publisher = Publisher(agents[0].channels[-1], SIZE)
    await publisher.publish_evenly(RATE, options.seconds)
    await until(lambda: all(len(socket.frames) >= publisher.published for socket in sockets), ARRIVAL)
    for client in joined:
        client.close()
    return sockets, publisher.published


@contextmanager
def serving(env: dict[str, Any], servers: tuple[type[Serve], ...]) -> Iterator[list[Serve]]:
    """Run servers with one process each, on the servers' core."""
    with ExitStack() as stack:
        directories = [Path(stack.enter_context(TemporaryDirectory())) for _ in servers]
        stack.enter_context(cores.on_core(cores.SERVERS))
        running = [stack.enter_context(each(at, env=env)) for each, at in zip(servers, directories, strict=True)]
        os.sched_setaffinity(0, {cores.LOAD})
        yield running


CONDITIONS: dict[str, tuple[type[Serve], ...]] = {
    "sockets alone": (SocketsOnly,),
    "pages in the same process": (Serve,),
    "pages in another process": (SocketsOnly, latency.Pages),
}


def run(ours: dict[str, str], agents: list[Visitor], options: Namespace) -> dict[str, Measurement]:
    """Measure every condition in every round."""
    found = {name: Measurement() for name in CONDITIONS}
    for _ in range(options.rounds):
        for name, servers in CONDITIONS.items():
            with serving(ours, servers) as running:
                pages = visiting(running[-1].port, agents[0].page, agents[0].cookie, options.pages)
                with nullcontext() if name == "sockets alone" else pages as visits:
                    sockets, published = uvloop.run(measure(running[0].port, agents, options))
            for socket in sockets:
                socket.add_to(found[name], published)
            if visits is not None:
                found[name].pages += [1000 * visit.took for visit in visits.all]
                found[name].failed += sum(not visit.succeeded for visit in visits.all)
    return found


def main() -> None:
    """Measure and publish the table."""
    options = parse()
    with site.services() as ours:
        found = run(ours, site.gather(site.USERS_PER_OFFICE)[1::2], options)
    rows = [measurement.row(name) for name, measurement in found.items()]
    notes = f"{RATE} events/s to each of {options.sockets} sockets, {options.pages:g} ticket pages/s."
    report.publish("shared-process", "Live events while pages are rendered", rows, bars="p99 ms", notes=notes)
    replies.require_delivery(rows)


def parse() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser()
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="per condition and round")
    parser.add_argument("--pages", type=float, default=10, help="ticket pages per second")
    return parser.parse_args()


if __name__ == "__main__":
    main()
