"""What 50 sockets feel of a dead reader, a flooder and a connection hog: `python -m benchmarks.starvation`.

One server process on PostgreSQL and Redis; the sockets are in this process, those of ill will in others. The
conditions take turns, ROUNDS times, so that what is compared comes from one run. It takes about two minutes.
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

from tests.support import instances

SOCKETS = 50
ROUNDS = 3
SECONDS = 3  # of a condition
RATE = 20  # events a second
BURST = 50  # events at once, halfway
SIZE = 650  # bytes of an event
BUSY_RATE, BUSY_SIZE = 250, 9000  # of what the dead reader does not read; one socket reads it in every condition
CONDITIONS = {
    "alone": (),
    "dead reader": ("reader",),
    "flooder": ("flooder",),
    "hog": ("hog",),
    "all three": ("reader", "flooder", "hog"),
}
SETTLE = 12  # seconds at most for what is left of one condition to go
MEGABYTE = 1024**2
RESULTS = Path(__file__).parent / "results"
EVENT = "benchmark.event"


@dataclass
class Measured:
    """One condition in all rounds: delays in milliseconds, memory in MB, CPU in per cent of a core."""

    delays: list[float] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    closed: int = 0
    connections: int = 0
    hung_up: int = 0  # sockets of ill will that the server closed
    memory: list[tuple[float, float, float]] = field(default_factory=list)  # before, at the peak, after
    cpu: list[float] = field(default_factory=list)

    def take(self, told: int, socket: "Socket") -> None:
        """Add what one socket heard of so many events."""
        numbers = [number for number, _ in socket.heard]
        self.delays += [delay for _, delay in socket.heard]
        self.lost += told - len(set(numbers))
        self.doubled += len(numbers) - len(set(numbers))
        self.reordered += sum(later < earlier for earlier, later in pairwise(numbers))
        self.closed += socket.is_over

    def in_short(self) -> dict[str, Any]:
        """Return the figures of the table."""
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
            "hung up": self.hung_up,
        }


class Process:
    """What the server's process takes."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        self.peak, self.most_files = 0.0, 0

    def files(self) -> int:
        """Return how many files it has open, and remember the most."""
        now = len(list((self._proc / "fd").iterdir()))
        self.most_files = max(self.most_files, now)
        return now

    def memory(self) -> float:
        """Return its resident memory in MB, and remember the most."""
        pages = int((self._proc / "statm").read_text().split()[1])
        now = pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
        self.peak = max(self.peak, now)
        return now

    def cpu(self) -> float:
        """Return the seconds that it has used a core."""
        words = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    async def watch(self) -> None:
        """Look for the peaks for ever."""
        self.peak, self.most_files = 0.0, 0
        while True:
            self.memory()
            self.files()
            await asyncio.sleep(0.1)


class Socket:
    """A socket that is read, and what it heard in this condition: number and delay."""

    def __init__(self, client: ClientConnection) -> None:
        self._client = client
        self.heard: list[tuple[int, float]] = []
        self.is_over = False

    async def run(self) -> None:
        """Read to the end."""
        with suppress(ConnectionClosed):
            async for text in self._client:
                await self._hear(json.loads(text), time.perf_counter())
        self.is_over = True

    async def _hear(self, frame: dict[str, Any], now: float) -> None:
        if frame["event"] == EVENT:
            data = json.loads(frame["data"])
            self.heard.append((data["number"], 1000 * (now - data["at"])))
        elif frame["event"] == "pusher:ping":
            await self._client.send('{"event": "pusher:pong", "data": {}}')


@dataclass
class Desk:
    """Where it is measured: a server, a ticket's channel and a busy one, and who may hear them."""

    port: int
    process: Process
    channel: str
    busy: str  # of the first person
    cookies: list[str]  # of some people who hear the ticket


@contextmanager
def desk() -> Iterator[Desk]:
    """Run PostgreSQL, Redis and one process of sockets, and fill the desk."""
    with ExitStack() as stack:
        database, redis = stack.enter_context(instances.postgres()), stack.enter_context(instances.redis_server())
        os.environ |= instances._environment({"DATABASE_URL": database, "REDIS_URL": redis.url, "DEBUG": "false"})
        os.environ |= {"SECRET_KEY": "for-this-benchmark", "REALTIME_APP_SECRET": "for-this-benchmark"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, cwd=instances.TOP)
        channels, cookies = _people()
        env = {"SECRET_KEY": "for-this-benchmark", "DEBUG": "false"}
        server = stack.enter_context(instances.server("uvicorn", database_url=database, redis_url=redis.url, env=env))
        yield Desk(server.port, Process(server.process.pid), *channels, cookies)


def _people() -> tuple[tuple[str, str], list[str]]:
    import django

    django.setup()
    from tests.support.cast import gather
    from tests.support.sockets import session_cookie

    cast = gather()
    people = cast.bao, cast.dana, cast.ada, cast.casey
    return (cast.ticket.channel, cast.bao.channel), [session_cookie(person) for person in people]


@asynccontextmanager
async def listening(desk: Desk, channel: str, number: int = 0) -> AsyncIterator[Socket]:
    """Open a socket on a channel, which is read while the block runs."""
    headers = {"Cookie": desk.cookies[number % len(desk.cookies)], "Origin": f"http://127.0.0.1:{desk.port}"}
    options: dict[str, Any] = {"additional_headers": headers, "compression": None, "proxy": None}
    async with connect(f"ws://127.0.0.1:{desk.port}/app/tikm?protocol=7", **options) as client:
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
async def hostile(desk: Desk, kinds: tuple[str, ...], into: Measured) -> AsyncIterator[None]:
    """Have clients of ill will at the server while the block runs, which begins when they have begun."""
    words = str(desk.port), desk.cookies[0], desk.busy
    command = sys.executable, "-m", "benchmarks.hostile"
    processes = [await asyncio.create_subprocess_exec(*command, kind, *words, stdout=PIPE) for kind in kinds]
    try:
        for process in processes:
            assert process.stdout is not None
            await process.stdout.readline()
        yield
        assert all(process.returncode is None for process in processes), "One of ill will has given up."
    finally:
        for process in processes:
            process.terminate()
            said, _ = await process.communicate()
            into.hung_up += said.count(b"\n")


class Teller:
    """Publishes through the channel layer, and waits until that has each event: what is lost, the server lost."""

    def __init__(self, channel: str, size: int) -> None:
        self._channel, self._filling = channel, "x" * size
        self.told = 0

    async def tell(self) -> None:
        """Tell one event."""
        from realtime import protocol
        from realtime.broadcasting import channel_layer, ephemeral
        from realtime.broadcasting.messages import encode
        from realtime.channels import Audience

        data = json.dumps({"number": self.told, "at": time.perf_counter(), "filling": self._filling})
        frame = protocol.frame(EVENT, channel=self._channel, data=data)
        self.told += 1
        for audience in Audience:
            message = ephemeral.message(self._channel, audience, frame)
            await channel_layer.default_layer().group_send(message.group, encode(message))

    async def tell_evenly(self, rate: float, seconds: float) -> None:
        """Tell so many events a second."""
        begun = time.perf_counter()
        for number in range(round(rate * seconds)):
            await asyncio.sleep(begun + number / rate - time.perf_counter())
            await self.tell()


async def until(predicate: Callable[[], bool], seconds: float) -> None:
    """Return once `predicate` is true, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while not predicate() and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def measure(desk: Desk, kinds: tuple[str, ...], sockets: list[Socket], into: Measured) -> None:
    """Measure one condition once."""
    for socket in sockets:
        socket.heard.clear()
    before, files = desk.process.memory(), desk.process.files()
    watching = asyncio.create_task(desk.process.watch())
    async with hostile(desk, kinds, into):
        cpu, begun = desk.process.cpu(), time.monotonic()
        told = await talk(desk)
        await until(lambda: all(len(socket.heard) >= told for socket in sockets), SETTLE)
        into.cpu.append(100 * (desk.process.cpu() - cpu) / (time.monotonic() - begun))
    watching.cancel()
    await until(lambda: desk.process.files() <= files, SETTLE)
    into.memory.append((before, desk.process.peak, desk.process.memory()))
    into.connections = max(into.connections, desk.process.most_files - files)
    for socket in sockets:
        into.take(told, socket)


async def talk(desk: Desk) -> int:
    """Tell what the sockets are to hear, with a burst halfway; return how many events that was."""
    teller, noise = Teller(desk.channel, SIZE), Teller(desk.busy, BUSY_SIZE)
    async with asyncio.TaskGroup() as together:
        together.create_task(noise.tell_evenly(BUSY_RATE, SECONDS))
        await teller.tell_evenly(RATE, SECONDS / 2)
        for _ in range(BURST):
            await teller.tell()
        await teller.tell_evenly(RATE, SECONDS / 2)
    return teller.told


async def run(desk: Desk) -> dict[str, Measured]:
    """Measure every condition in every round, with the same sockets."""
    found = {name: Measured() for name in CONDITIONS}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(desk, desk.busy))
        sockets = [await stack.enter_async_context(listening(desk, desk.channel, n)) for n in range(SOCKETS)]
        await measure(desk, (), sockets, Measured())  # what is done once in a process's life
        for _ in range(ROUNDS):
            for name, kinds in CONDITIONS.items():
                await measure(desk, kinds, sockets, found[name])
    return found


def show(figures: dict[str, dict[str, Any]], load: tuple[float, ...]) -> None:
    """Print the table, and keep it as JSON."""
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
    """Measure, and show it."""
    load = os.getloadavg()
    with desk() as place:
        found = asyncio.run(run(place))
    show({name: each.in_short() for name, each in found.items()}, load)


if __name__ == "__main__":
    main()
