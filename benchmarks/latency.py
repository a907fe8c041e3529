"""From the POST of a reply to the frame at another user's socket: `python -m benchmarks.latency`.

Replies are posted to the REST API of `manage.py serve --pages-only` with one process; sockets are on one or two. All
share the servers' core. Without Redis the log tailer delivers once a second. It takes about five minutes.
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

from benchmarks import clients, cores, replies, report, site
from benchmarks.replies import Recorder
from benchmarks.site import Visitor
from benchmarks.starvation import until
from tests.integration.servers.serve import Serve

TICKETS = 10
LEAST = 10  # replies at each rate
AT_ONCE = 16  # POSTs in flight
ARRIVAL = 5  # seconds until the last frame must have arrived
SETTINGS = "benchmarks.unlimited"


class Pages(Serve):
    """The production server, pages only."""

    words = "manage.py serve --pages-only --port {port}"

    def __init__(self, directory: Path, env: dict[str, str | None]) -> None:
        super().__init__(directory, env=env)
        self.spawning["env"] |= {"DJANGO_SETTINGS_MODULE": SETTINGS}


@dataclass(frozen=True)
class Conversation:
    """A ticket with an agent who replies through the API, and its subscribed customer."""

    customer: Visitor
    agent: Visitor
    token: str

    @property
    def channel(self) -> str:
        """The ticket's channel."""
        return self.customer.channels[1]


class Program:
    """Posts replies on a few connections, and records when each was sent."""

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

    async def post(self, conversation: Conversation) -> None:
        """Reply, once a connection is free."""
        connection = await self._free.get()
        message = f"Reply {next(self._numbers)}"
        self.sent[message] = time.monotonic()
        try:
            await _post(connection, conversation, message)
        except (ConnectionError, asyncio.IncompleteReadError):  # closed while idle: the server read nothing
            connection = await asyncio.open_connection("127.0.0.1", self._port)
            await _post(connection, conversation, message)
        self.made[conversation.channel] += 1
        self._free.put_nowait(connection)


async def _post(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], conversation: Conversation, message: str
) -> None:
    reader, writer = connection
    body = json.dumps({"message": message}).encode()
    head = (
        f"POST /api/v1/tickets/{conversation.customer.ticket}/replies/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {conversation.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    response = await reader.readuntil(b"\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 201 "), response
    lines = response.lower().decode().split("\r\n")
    length = next(line for line in lines if line.startswith("content-length:"))
    await reader.readexactly(int(length.partition(":")[2]))


async def measure(
    pages: Pages, servers: list[Any], conversations: list[Conversation], rate: float, seconds: float
) -> dict[str, Any]:
    """Post `rate` replies per second; return the latency to the customers' sockets."""
    program, recorders = Program(pages.port), []
    await program.open()
    subscribers = []
    for conversation, server in zip(conversations, cycle(servers), strict=False):
        for person in (conversation.customer, conversation.agent):
            recorders.append(Recorder(conversation.channel))
            subscribers.append(await clients.join(server.port, person, recorders[-1].record))
    await asyncio.gather(*map(program.post, conversations))  # excludes one-time initialization
    warm, begun = set(program.sent), time.monotonic()
    async with asyncio.TaskGroup() as together:
        for number, conversation in zip(range(round(rate * seconds)), cycle(conversations), strict=False):
            await asyncio.sleep(begun + number / rate - time.monotonic())
            together.create_task(program.post(conversation))
    took = time.monotonic() - begun
    await until(
        lambda: all(len(recorder.frames) >= program.made[recorder.channel] for recorder in recorders), ARRIVAL
    )
    for subscriber in subscribers:
        subscriber.close()
    delays = _delays(recorders[::2], program.sent, warm)
    cuts = quantiles(delays, n=100, method="inclusive")
    figures = {
        "replies/s": round(rate * seconds / max(took, seconds), 1),
        "p50 ms": round(cuts[49], 1),
        "p99 ms": round(cuts[98], 1),
    }
    return figures | replies.check(recorders, program.made)


def _delays(recorders: list[Recorder], sent: dict[str, float], but: set[str]) -> list[float]:
    """Return the milliseconds from POST to frame."""
    received = ((moment, data["reply"]["message"]) for recorder in recorders for moment, data in recorder.received())
    return [1000 * (moment - sent[message]) for moment, message in received if message not in but]


@contextmanager
def serving(ours: dict[str, str], processes: int, *, redis: bool) -> Iterator[tuple[Pages, list[Any]]]:
    """Run one page process and some socket processes."""
    env: dict[str, Any] = ours if redis else {**ours, "REDIS_URL": None}
    with ExitStack() as stack:
        servers = [stack.enter_context(site.sockets(env)) for _ in range(processes)]
        directory = stack.enter_context(TemporaryDirectory())
        stack.enter_context(cores.on_core(cores.SERVERS))
        pages = stack.enter_context(Pages(Path(directory), env))
        os.sched_setaffinity(0, {cores.LOAD})
        yield pages, servers


def conversations(visitors: list[Visitor]) -> list[Conversation]:
    """Issue an API token to every agent, who replies to one customer's ticket."""
    from accounts.models import User
    from accounts.sign_in import tokens

    def token(agent: Visitor) -> str:
        person = User.objects.get(pk=agent.person)
        return tokens.issue(person, name="Benchmark", days=1)[1]

    pairs = zip(visitors[::2], visitors[1::2], strict=True)
    return [Conversation(customer, agent, token(agent)) for customer, agent in pairs]


def main() -> None:
    """Measure and publish the table."""
    options, rows = parse(), []
    with site.services() as ours:
        talks = conversations(site.gather(2 * TICKETS))
        for redis in (True, False):
            for processes in (1, 2):
                label = f"{'with' if redis else 'without'} Redis, {processes} of sockets"
                with serving(ours, processes, redis=redis) as (pages, servers):
                    for rate in options.rates:
                        seconds = max(options.seconds, LEAST / rate)
                        found = uvloop.run(measure(pages, servers, talks, rate, seconds))
                        rows.append({"server": f"{label}, {rate:g}/s", **found})
                        print(rows[-1], flush=True)
    notes = f"At most {AT_ONCE} POSTs in flight; each event reaches two sockets, and the customer's is measured."
    report.publish("latency", "POST of a reply to the frame at another socket", rows, bars="p50 ms", notes=notes)
    replies.require_delivery(rows)


def parse() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser()
    parser.add_argument("--rates", type=float, nargs="+", default=[1, 10, 100], help="replies per second")
    parser.add_argument("--seconds", type=float, default=10, help="per rate, or as long as LEAST replies take")
    return parser.parse_args()


if __name__ == "__main__":
    main()
