"""The cost of idle sockets, and of a reconnect storm: `python -m benchmarks.connections`.

Each socket has a session cookie and three private channels whose rules query the database. It is compared with
node's `ws`, without authentication or authorization. The full run takes about four minutes.
"""

import asyncio
import functools
import os
import signal
import time
from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from socket import create_connection
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from benchmarks import clients, cores, report, site
from benchmarks.clients import Client
from benchmarks.page_scripts import Pages
from benchmarks.site import Visitor
from benchmarks.starvation import Process, until
from benchmarks.visits import Visit, visiting
from tests.integration.servers.serve import Serve
from tests.support.servers import instances

KILOBYTES = 1024  # in a megabyte
WARM_UP = 20  # sockets that connect and disconnect before the measurement
AT_ONCE = 50  # handshakes in flight
SETTLE = 5  # seconds
RETURNING = 200  # sockets that reconnect within seconds
RAMP = 45  # seconds to connect the sockets of the storm
QUIET = 10  # seconds of page visits before the storm


class NodeServer(instances.Instance):
    """A server on node's `ws`."""

    def __init__(self, directory: Path, port: int) -> None:
        script = Path(__file__).with_name("ws_server.cjs")
        super().__init__(["node", str(script), str(port)], directory)
        self.port = port

    def answers(self) -> bool:
        """Return whether the server accepts connections."""
        with suppress(OSError), closing(create_connection(("127.0.0.1", self.port))):
            return True
        return False


@contextmanager
def node(ours: dict[str, str]) -> Iterator[NodeServer]:
    """Run the server on node's `ws` on the servers' core."""
    with (
        TemporaryDirectory() as name,
        cores.on_core(cores.SERVERS),
        NodeServer(Path(name), instances.free_port()) as server,
    ):
        os.sched_setaffinity(0, {cores.LOAD})
        yield server


SERVERS: dict[str, Callable[[dict[str, str]], Any]] = {"TIKM": site.sockets, "node ws": node}


# -- Idle sockets


async def measure_idle(server: Any, visitors: list[Visitor]) -> dict[str, float]:
    """Connect all visitors to a warmed-up server; return the cost of each."""
    process = Process(server.process.pid)
    await connect_and_disconnect(server.port, visitors[:WARM_UP], process)
    memory, cpu, own, begun = process.memory(), process.cpu(), time.process_time(), time.monotonic()
    joined = await clients.join_all(server.port, visitors, AT_ONCE)
    assert len(joined) == len(visitors), "The server is too slow for this."
    found = {
        "ms CPU": 1000 * (process.cpu() - cpu) / len(visitors),
        "ms of load": 1000 * (time.process_time() - own) / len(visitors),
        "connects/s": len(visitors) / (time.monotonic() - begun),
        "KB at once": KILOBYTES * (process.memory() - memory) / len(visitors),
    }
    await asyncio.sleep(SETTLE)
    found["KB idle"] = KILOBYTES * (process.memory() - memory) / len(visitors)
    await disconnect_and_wait(joined.values(), process)
    return found | {"ms CPU again": await measure_return(server.port, visitors[:RETURNING], process)}


async def measure_return(port: int, visitors: list[Visitor], process: Process) -> float:
    """Connect, disconnect, and connect again; return the CPU milliseconds of each second connect."""
    await connect_and_disconnect(port, visitors, process)
    cpu = process.cpu()
    joined = await clients.join_all(port, visitors, AT_ONCE)
    spent = process.cpu() - cpu
    disconnect(joined.values())
    return 1000 * spent / len(visitors)


async def connect_and_disconnect(port: int, visitors: list[Visitor], process: Process) -> None:
    """Connect and disconnect; return once the server has closed the sockets."""
    await disconnect_and_wait((await clients.join_all(port, visitors, AT_ONCE)).values(), process)


async def disconnect_and_wait(joined: Collection[Client], process: Process) -> None:
    """Disconnect; return once the server has closed the sockets."""
    before = process.files()
    disconnect(joined)
    await until(lambda: process.files() <= before - len(joined), SETTLE)
    await asyncio.sleep(SETTLE)  # the server leaves unused groups later


def disconnect(joined: Collection[Client]) -> None:
    """Close all clients; fail if the server closed one before."""
    assert not any(client.ended.done() for client in joined), "The server closed a socket."
    for client in joined:
        client.close()


def idle(ours: dict[str, str], visitors: list[Visitor], rounds: int) -> list[dict[str, Any]]:
    """Measure a new instance of each server in turn; return the medians."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name, start in SERVERS.items():
            with start(ours) as server:
                found[name].append(uvloop.run(measure_idle(server, visitors)))
    return compare({name: {key: median(row[key] for row in rows) for key in rows[0]} for name, rows in found.items()})


def compare(middle: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return a row for each server, with its memory as a ratio of node's."""
    least = middle["node ws"]["KB idle"]
    return [
        {
            "server": name,
            **{key: round(value, 2) for key, value in row.items()},
            "KB / ws": round(row["KB idle"] / least, 2),
        }
        for name, row in middle.items()
    ]


# -- A storm


class Storm:
    """The sockets of all visitors on one server, and when each is subscribed again."""

    def __init__(self, port: int, visitors: list[Visitor]) -> None:
        self._port, self._visitors, self.pages = port, visitors, Pages(port)
        self.back: list[float] = []
        self.refusals: Counter[str] = Counter()

    async def break_out(self, begin: Callable[[], None]) -> None:
        """Connect for RAMP seconds, call `begin`, and return once all clients are back."""
        await self.pages.open(self._visitors[0])
        joined = await clients.join_all(self._port, self._visitors, AT_ONCE, within=RAMP)
        await asyncio.sleep(QUIET)
        self.began_at = time.monotonic()
        begin()
        returning = [asyncio.create_task(self._return(client, visitor)) for visitor, client in joined.items()]
        returned, missing = await asyncio.wait(returning, timeout=clients.TIMEOUT)
        for task in missing:
            task.cancel()
        back = [task.result() for task in returned]
        self.missing = len(missing) + sum(client.ended.done() for client in back)
        for client in back:
            client.close()

    async def _return(self, client: Client, visitor: Visitor) -> Client:
        again = await self.pages.reconnect(client, visitor, self.refusals)
        self.back.append(time.monotonic() - self.began_at)
        return again


def storm(ours: dict[str, str], visitors: list[Visitor], rate: float) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Kill the worker of `manage.py serve`, and replace it as a deploy does; return rows and refusals."""
    rows, refusals = [], Counter[str]()
    for name, begin in {"killed": kill_worker, "replaced": reload}.items():
        with serving(ours) as server, visiting(server.port, visitors[0].page, visitors[0].cookie, rate) as visits:
            storm = Storm(server.port, visitors)
            uvloop.run(storm.break_out(functools.partial(begin, server)))
        refusals += storm.refusals
        begun, back = storm.began_at, sorted(storm.back)
        meanwhile = visits.between(begun, begun + back[-1])
        quiet = [visit for visit in visits.between(begun - QUIET, begun) if visit not in meanwhile]
        row = {
            "worker": name,
            "sockets": len(back) + storm.missing,
            "missing": storm.missing,
            "refused": storm.refusals.total(),
            "s first": back[0],
            "s half": median(back),
            "s all": back[-1],
        }
        figures = row | histories(storm.pages) | pages("quiet", quiet) | pages("storm", meanwhile)
        rows.append({key: round(value, 2) if isinstance(value, float) else value for key, value in figures.items()})
        print(rows[-1], dict(storm.refusals), flush=True)
    return rows, refusals


@contextmanager
def serving(ours: dict[str, str]) -> Iterator[Serve]:
    """Run `manage.py serve` with one worker, on the servers' core."""
    with TemporaryDirectory() as name, cores.on_core(cores.SERVERS), Serve(Path(name), env=ours, drain=4) as server:
        os.sched_setaffinity(0, {cores.LOAD})
        yield server


def kill_worker(server: Serve) -> None:
    """Kill the worker; it is replaced at once."""
    (pid,) = server.workers()
    os.kill(pid, signal.SIGKILL)


def reload(server: Serve) -> None:
    """Replace the worker, as a deploy does."""
    server.process.send_signal(signal.SIGHUP)


def histories(asked: Pages) -> dict[str, Any]:
    """Return the number of pages that missed nothing according to the socket, and of history requests."""
    return {
        "answered on socket": asked.counts["on the socket"],
        "histories": asked.counts["history"],
        "refused history": asked.counts["history busy"],
        "failed": asked.counts["history failed"],
        "p50 history": round(1000 * median(asked.durations)) if asked.durations else None,
    }


def pages(when: str, visits: list[Visit]) -> dict[str, Any]:
    """Return the duration of pages in milliseconds, and the number of failures."""
    cuts = quantiles([1000 * visit.took for visit in visits], n=100, method="inclusive")
    failed = sum(not visit.succeeded for visit in visits)
    return {
        f"pages {when}": len(visits),
        f"p50 {when}": round(cuts[49]),
        f"p99 {when}": round(cuts[98]),
        f"failed {when}": failed,
    }


def main() -> None:
    """Measure and publish the tables."""
    options = parse()
    with ExitStack() as stack:
        ours = stack.enter_context(site.services())
        visitors = site.gather(max(options.sockets, options.storm))
        if options.sockets:
            rows = idle(ours, visitors[: options.sockets], options.rounds)
            title = f"{options.sockets} idle sockets with three subscriptions each, and a connect with them"
            report.publish("connections", title, rows, bars="KB idle", notes=f"Medians of {options.rounds} rounds.")
        if options.storm:
            rows, refusals = storm(ours, visitors[: options.storm], options.pages)
            why = "; ".join(f"refused {count}: {reason}" for reason, count in refusals.most_common(5))
            title = "All sockets reconnect at once to one process"
            report.publish("storm", title, rows, bars="s all", notes=f"Pages in milliseconds. {why}")
            assert not any(row["missing"] for row in rows), "Some sockets did not reconnect."


def parse() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser()
    parser.add_argument("--sockets", type=int, default=1000, help="idle sockets; 0 skips them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--storm", type=int, default=5000, help="reconnecting sockets; 0 skips the storm")
    parser.add_argument("--pages", type=float, default=4, help="pages per second during the storm")
    return parser.parse_args()


if __name__ == "__main__":
    main()
