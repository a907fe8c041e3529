"""The effect of a dead reader, a flooder and a connection hoarder on 50 sockets: `python -m benchmarks.starvation`.

One server process on PostgreSQL and Redis; the sockets are in this process, the hostile clients in others. The
conditions take turns, ROUNDS times, so that comparisons come from one run. It takes about two minutes.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.servers import instances

SOCKETS = 50
ROUNDS = 3
SECONDS = 3  # per condition
RATE = 20  # events per second
BURST = 50  # events at once, halfway
SIZE = 650  # bytes of an event
BUSY_RATE, BUSY_SIZE = (
    250,
    9000,
)  # events for the dead reader; one socket reads them in every condition
CONDITIONS = {
    "alone": (),
    "dead reader": ("reader",),
    "flooder": ("flooder",),
    "hoarder": ("hoarder",),
    "all three": ("reader", "flooder", "hoarder"),
}
SETTLE = 12  # seconds at most until the previous condition has ended
MEGABYTE = 1024**2
RESULTS = Path(__file__).parent / "results"
EVENT = "benchmark.event"


@dataclass
class Measurement:
    """One condition in all rounds: latency in milliseconds, memory in MB, CPU in per cent of a core."""

    delays: list[float] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    closed: int = 0
    connections: int = 0
    closed_hostile: int = 0  # hostile sockets that the server closed
    memory: list[tuple[float, float, float]] = field(default_factory=list)  # before, at the peak, after
    cpu: list[float] = field(default_factory=list)

    def take(self, published: int, socket: "Socket") -> None:
        """Add the events that one socket received, of `published` published."""
        numbers = [number for number, _ in socket.received]
        self.delays += [delay for _, delay in socket.received]
        self.lost += published - len(set(numbers))
        self.doubled += len(numbers) - len(set(numbers))
        self.reordered += sum(later < earlier for earlier, later in pairwise(numbers))
        self.closed += socket.is_over

    def in_short(self) -> dict[str, Any]:
        """Return the row of the table."""
        cuts = quantiles(self.delays, n=1000)
        peak, after = (median(row[n] - row[0] for row in self.memory) for n in (1, 2))
        return {
            "p50 ms": round(cuts[499], 1),
            "p99 ms": round(cuts[989], 1),
            "max ms": round(max(self.delays), 1),
            "lost": self.lost,
            "doubled": self.doubled,
            "reordered": self.reordered,
            "closed": self.closed,
            "MB before": round(median(before for before, *_ in self.memory), 1),
            "MB more at peak": round(peak, 1),
            "MB more after": round(after, 1),
            "CPU %": round(median(self.cpu)),
            "connections": self.connections,
            "hostile closed": self.closed_hostile,
        }


class Process:
    """CPU, memory and open files of the server's process."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        self.peak, self.most_files = 0.0, 0

    def files(self) -> int:
        """Return the number of open files, and record the maximum."""
        now = len(list((self._proc / "fd").iterdir()))
        self.most_files = max(self.most_files, now)
        return now

    def memory(self) -> float:
        """Return the resident memory in MB, and record the maximum."""
        pages = int((self._proc / "statm").read_text().split()[1])
        now = pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
        self.peak = max(self.peak, now)
        return now

    def cpu(self) -> float:
        """Return the CPU seconds used."""
        words = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    async def watch(self) -> None:
        """Record the maxima until cancelled."""
        self.peak, self.most_files = 0.0, 0
        while True:
            self.memory()
            self.files()
            await asyncio.sleep(0.1)


class Socket:
    """An open socket, and the events it received in this condition: number and latency."""

    def __init__(self, client: ClientConnection) -> None:
        self._client = client
        self.received: list[tuple[int, float]] = []
        self.is_over = False

    async def run(self) -> None:
        """Read until the socket closes."""
        with suppress(ConnectionClosed):
            async for text in self._client:
                await self._record(json.loads(text), time.perf_counter())
        self.is_over = True

    async def _record(self, frame: dict[str, Any], now: float) -> None:
        if frame["event"] == EVENT:
            data = json.loads(frame["data"])
            self.received.append((data["number"], 1000 * (now - data["at"])))
        elif frame["event"] == "pusher:ping":
            await self._client.send('{"event": "pusher:pong", "data": {}}')


@dataclass
class Site:
    """The measured site: a server, a ticket's channel, a busy channel, and sessions of their subscribers."""

    port: int
    process: Process
    channel: str
    busy: str  # channel of the first user
    cookies: list[str]  # of users who may subscribe to the ticket


@contextmanager
def site() -> Iterator[Site]:
    """Run PostgreSQL, Redis and one server process, and fill the database."""
    with ExitStack() as stack:
        database, redis = stack.enter_context(instances.postgres()), stack.enter_context(instances.redis_server())
        os.environ |= instances.environment({"DATABASE_URL": database, "REDIS_URL": redis.url, "DEBUG": "false"})
        os.environ |= {"SECRET_KEY": "for-this-benchmark", "REALTIME_APP_SECRET": "for-this-benchmark"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, cwd=instances.TOP)
        channels, cookies = _people()
        env = {"SECRET_KEY": "for-this-benchmark", "DEBUG": "false"}
        server = stack.enter_context(instances.server("uvicorn", database_url=database, redis_url=redis.url, env=env))
        yield Site(server.port, Process(server.process.pid), *channels, cookies)


def _people() -> tuple[tuple[str, str], list[str]]:
    import django

    django.setup()
    from tests.support.cast import create_cast
    from tests.support.sockets import session_cookie

    cast = create_cast()
    people = cast.bao, cast.dana, cast.ada, cast.casey
    return (cast.ticket.channel, cast.bao.channel), [session_cookie(person) for person in people]


@asynccontextmanager
async def subscribed(site: Site, channel: str, number: int = 0) -> AsyncIterator[Socket]:
    """Open a socket on a channel, and read it while the block runs."""
    headers = {"Cookie": site.cookies[number % len(site.cookies)], "Origin": f"http://127.0.0.1:{site.port}"}
    options: dict[str, Any] = {"additional_headers": headers, "compression": None, "proxy": None}
    async with connect(f"ws://127.0.0.1:{site.port}/app/tikm?protocol=7", **options) as client:
        await client.recv()
        subscription = {"event": "pusher:subscribe", "data": {"channel": channel, "auth": ""}}
        await client.send(json.dumps(subscription))
        answer = json.loads(await client.recv())
        assert answer["event"] == "pusher_internal:subscription_succeeded", answer
        socket = Socket(client)
        reading = asyncio.create_task(socket.run())
        yield socket
        reading.cancel()


@asynccontextmanager
async def hostile(site: Site, kinds: tuple[str, ...], into: Measurement) -> AsyncIterator[None]:
    """Run hostile clients during the block, which begins when they have started."""
    words = str(site.port), site.cookies[0], site.busy
    command = sys.executable, "-m", "benchmarks.hostile"
    processes = [await asyncio.create_subprocess_exec(*command, kind, *words, stdout=PIPE) for kind in kinds]
    try:
        for process in processes:
            assert process.stdout is not None
            await process.stdout.readline()
        yield
        assert all(process.returncode is None for process in processes), "A hostile client has ended."
    finally:
        for process in processes:
            process.terminate()
            said, _ = await process.communicate()
            into.closed_hostile += said.count(b"\n")


class Publisher:
    """Publishes through the channel layer and waits for each send, so that only the server can lose events."""

    def __init__(self, channel: str, size: int) -> None:
        self._channel, self._filling = channel, "x" * size
        self.published = 0

    async def publish(self) -> None:
        """Publish one event."""
        from realtime import protocol
        from realtime.broadcasting import channel_layer, ephemeral
        from realtime.broadcasting.messages import encode
        from realtime.channels import Audience

        data = json.dumps({"number": self.published, "at": time.perf_counter(), "filling": self._filling})
        frame = protocol.frame(EVENT, channel=self._channel, data=data)
        self.published += 1
        for audience in Audience:
            message = ephemeral.message(self._channel, audience, frame)
            await channel_layer.default_layer().group_send(message.group, encode(message))

    async def publish_evenly(self, rate: float, seconds: float) -> None:
        """Publish `rate` events per second."""
        begun = time.perf_counter()
        for number in range(round(rate * seconds)):
            await asyncio.sleep(begun + number / rate - time.perf_counter())
            await self.publish()


async def until(predicate: Callable[[], bool], seconds: float) -> None:
    """Return once `predicate` is true, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while not predicate() and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def measure(site: Site, kinds: tuple[str, ...], sockets: list[Socket], into: Measurement) -> None:
    """Measure one condition once."""
    for socket in sockets:
        socket.received.clear()
    before, files = site.process.memory(), site.process.files()
    watching = asyncio.create_task(site.process.watch())
    async with hostile(site, kinds, into):
        cpu, begun = site.process.cpu(), time.monotonic()
        published = await publish_all(site)
        await until(lambda: all(len(socket.received) >= published for socket in sockets), SETTLE)
        into.cpu.append(100 * (site.process.cpu() - cpu) / (time.monotonic() - begun))
    watching.cancel()
    await until(lambda: site.process.files() <= files, SETTLE)
    into.memory.append((before, site.process.peak, site.process.memory()))
    into.connections = max(into.connections, site.process.most_files - files)
    for socket in sockets:
        into.take(published, socket)


async def publish_all(site: Site) -> int:
    """Publish the events to be measured, with a burst halfway; return their number."""
    publisher, noise = Publisher(site.channel, SIZE), Publisher(site.busy, BUSY_SIZE)
    async with asyncio.TaskGroup() as together:
        together.create_task(noise.publish_evenly(BUSY_RATE, SECONDS))
        await publisher.publish_evenly(RATE, SECONDS / 2)
        for _ in range(BURST):
            await publisher.publish()
        await publisher.publish_evenly(RATE, SECONDS / 2)
    return publisher.published


async def run(site: Site) -> dict[str, Measurement]:
    """Measure every condition in every round, with the same sockets."""
    found = {name: Measurement() for name in CONDITIONS}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(subscribed(site, site.busy))
        sockets = [await stack.enter_async_context(subscribed(site, site.channel, n)) for n in range(SOCKETS)]
        await measure(site, (), sockets, Measurement())  # excludes one-time initialization
        for _ in range(ROUNDS):
            for name, kinds in CONDITIONS.items():
                await measure(site, kinds, sockets, found[name])
    return found


def show(figures: dict[str, dict[str, Any]], load: tuple[float, ...]) -> None:
    """Print the table, and save it as JSON."""
    heads = ["", *next(iter(figures.values()))]
    rows = [[name, *map(str, row.values())] for name, row in figures.items()]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    print(f"load average: {load[0]:.1f} before, {os.getloadavg()[0]:.1f} after; {os.cpu_count()} cores")
    RESULTS.mkdir(exist_ok=True)
    name = RESULTS / f"starvation-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    name.write_text(json.dumps({"load": load, "cores": os.cpu_count(), "figures": figures}, indent=2))


def main() -> None:
    """Measure and print the table."""
    load = os.getloadavg()
    with site() as place:
        found = asyncio.run(run(place))
    show({name: each.in_short() for name, each in found.items()}, load)


if __name__ == "__main__":
    main()
