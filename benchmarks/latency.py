"""From the POST of a reply to the frame at another person's socket: `python -m benchmarks.latency`.

Replies come in by the REST API on `manage.py serve --pages-only`, with one process; sockets are on one or two. All of
them share the servers' core. Without Redis the log's tail tells, once a second. It takes about five minutes.
"""

import asyncio
import json
import os
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from benchmarks import clients, cores, desk, replies, report
from benchmarks.desk import Visitor
from benchmarks.replies import Ear
from benchmarks.starvation import until
from tests.integration.servers.serve import Serve

TICKETS = 10
LEAST = 10  # replies at each rate
AT_ONCE = 16  # POSTs under way
ARRIVAL = 5  # seconds until the last one has come
SETTINGS = "benchmarks.unlimited"


class Pages(Serve):
    """The production server's pages alone."""

    words = "manage.py serve --pages-only --port {port}"

    def __init__(self, directory: Path, env: dict[str, str | None]) -> None:
        super().__init__(directory, env=env)
        self.spawning["env"] |= {"DJANGO_SETTINGS_MODULE": SETTINGS}


@dataclass(frozen=True)
class Conversation:
    """A ticket that a program replies to, and its customer who hears that."""

    customer: Visitor
    agent: Visitor
    token: str

    @property
    def channel(self) -> str:
        """The ticket's."""
        return self.customer.channels[1]


class Program:
    """Posts replies on a few connections, and notes when each was sent."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.sent: dict[str, float] = {}
        self.made: Counter[str] = Counter()
        self._numbers = count()

    async def open(self) -> None:
        """Connect."""
        for _ in range(AT_ONCE):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", self._port))

    async def post(self, talk: Conversation) -> None:
        """Reply, once a connection is free."""
        connection = await self._free.get()
        message = f"Reply {next(self._numbers)}"
        self.sent[message] = time.monotonic()
        try:
            await _post(connection, talk, message)
        except (ConnectionError, asyncio.IncompleteReadError):  # it was idle for long: nothing was read of this
            connection = await asyncio.open_connection("127.0.0.1", self._port)
            await _post(connection, talk, message)
        self.made[talk.channel] += 1
        self._free.put_nowait(connection)


async def _post(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], talk: Conversation, message: str
) -> None:
    reader, writer = connection
    body = json.dumps({"message": message}).encode()
    head = (
        f"POST /api/v1/tickets/{talk.customer.ticket}/replies/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {talk.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 201 "), answer
    lines = answer.lower().decode().split("\r\n")
    length = next(line for line in lines if line.startswith("content-length:"))
    await reader.readexactly(int(length.partition(":")[2]))


async def measure(
    pages: Pages, servers: list[Any], talks: list[Conversation], rate: float, seconds: float
) -> dict[str, Any]:
    """Post `rate` replies a second for so long; return how long they took to the customers' sockets."""
    program, ears = Program(pages.port), []
    await program.open()
    listeners = []
    for talk, server in zip(talks, cycle(servers), strict=False):
        for person in (talk.customer, talk.agent):
            ears.append(Ear(talk.channel))
            listeners.append(await clients.join(server.port, person, ears[-1].hear))
    await asyncio.gather(*map(program.post, talks))  # what is done once in a process's life
    warm, begun = set(program.sent), time.monotonic()
    async with asyncio.TaskGroup() as together:
        for number, talk in zip(range(round(rate * seconds)), cycle(talks), strict=False):
            await asyncio.sleep(begun + number / rate - time.monotonic())
            together.create_task(program.post(talk))
    took = time.monotonic() - begun
    await until(lambda: all(len(ear.frames) >= program.made[ear.channel] for ear in ears), ARRIVAL)
    for listener in listeners:
        listener.close()
    delays = _delays(ears[::2], program.sent, warm)
    cuts = quantiles(delays, n=100, method="inclusive")
    figures = {
        "replies/s": round(rate * seconds / max(took, seconds), 1),
        "p50 ms": round(cuts[49], 1),
        "p99 ms": round(cuts[98], 1),
    }
    return figures | replies.check(ears, program.made)


def _delays(ears: list[Ear], sent: dict[str, float], but: set[str]) -> list[float]:
    """Return the milliseconds from POST to frame."""
    heard = ((moment, data["reply"]["message"]) for ear in ears for moment, data in ear.told())
    return [1000 * (moment - sent[message]) for moment, message in heard if message not in but]


@contextmanager
def serving(ours: dict[str, str], processes: int, *, redis: bool) -> Iterator[tuple[Pages, list[Any]]]:
    """Run a process of pages and some of sockets."""
    env: dict[str, Any] = ours if redis else {**ours, "REDIS_URL": None}
    with ExitStack() as stack:
        servers = [stack.enter_context(desk.sockets(env)) for _ in range(processes)]
        directory = stack.enter_context(TemporaryDirectory())
        stack.enter_context(cores.on_core(cores.SERVERS))
        pages = stack.enter_context(Pages(Path(directory), env))
        os.sched_setaffinity(0, {cores.LOAD})
        yield pages, servers


def conversations(visitors: list[Visitor]) -> list[Conversation]:
    """Give a token to every agent, who replies to a customer's ticket."""
    from accounts import tokens
    from accounts.models import User

    def token(agent: Visitor) -> str:
        person = User.objects.get(pk=agent.person)
        return tokens.issue(person, name="Benchmark", days=1)[1]

    pairs = zip(visitors[::2], visitors[1::2], strict=True)
    return [Conversation(customer, agent, token(agent)) for customer, agent in pairs]


def main() -> None:
    """Measure, and show it."""
    options, rows = parse(), []
    with desk.services() as ours:
        talks = conversations(desk.gather(2 * TICKETS))
        for redis in (True, False):
            for processes in (1, 2):
                label = f"{'with' if redis else 'without'} Redis, {processes} of sockets"
                with serving(ours, processes, redis=redis) as (pages, servers):
                    for rate in options.rates:
                        seconds = max(options.seconds, LEAST / rate)
                        found = uvloop.run(measure(pages, servers, talks, rate, seconds))
                        rows.append({"server": f"{label}, {rate:g}/s", **found})
                        print(rows[-1], flush=True)
    notes = f"At most {AT_ONCE} POSTs under way; each hears of it at two sockets, and the customer's is measured."
    report.publish("latency", "POST of a reply to the frame at another socket", rows, bars="p50 ms", notes=notes)
    replies.insist(rows)


def parse() -> Namespace:
    """Return how much is to be measured."""
    parser = ArgumentParser()
    parser.add_argument("--rates", type=float, nargs="+", default=[1, 10, 100], help="replies a second")
    parser.add_argument("--seconds", type=float, default=10, help="of each, or as long as LEAST replies take")
    return parser.parse_args()


if __name__ == "__main__":
    main()
