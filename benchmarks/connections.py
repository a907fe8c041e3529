"""What sockets cost that say nothing, and what happens when all come back: `python -m benchmarks.connections`.

A socket is a person's, signed in by a session cookie, with three private channels whose rules ask the database.
Beside ours stands node's `ws`, which asks nobody and knows nobody. The full run takes about four minutes.
"""

import asyncio
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

from benchmarks import clients, cores, desk, report
from benchmarks.clients import Client
from benchmarks.desk import Visitor
from benchmarks.pages import Pages
from benchmarks.starvation import Process, until
from benchmarks.visits import Visit, visiting
from tests.integration.servers.serve import Serve
from tests.support import instances

KILOBYTES = 1024  # in a megabyte
WARM_UP = 20  # sockets that come and go before anything is measured
AT_ONCE = 50  # handshakes under way
SETTLE = 5  # seconds
RETURNING = 200  # sockets that come again within seconds
RAMP = 45  # seconds to gather those who will come back at once
QUIET = 10  # seconds in which the pages are visited before the storm


class NodeServer(instances.Instance):
    """The server on node's `ws`."""

    def __init__(self, directory: Path, port: int) -> None:
        script = Path(__file__).with_name("ws_server.cjs")
        super().__init__(["node", str(script), str(port)], directory)
        self.port = port

    def answers(self) -> bool:
        """Whether it lets somebody in by now."""
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


SERVERS: dict[str, Callable[[dict[str, str]], Any]] = {"TIKM": desk.sockets, "node ws": node}


# -- Idle sockets


async def measure_idle(server: Any, visitors: list[Visitor]) -> dict[str, float]:
    """Connect everybody to a server that has served some before; return what each costs it."""
    process = Process(server.process.pid)
    await come_and_go(server.port, visitors[:WARM_UP], process)
    memory, cpu, own, begun = process.memory(), process.cpu(), time.process_time(), time.monotonic()
    everybody = await clients.join_all(server.port, visitors, AT_ONCE)
    assert len(everybody) == len(visitors), "The server is too slow for this."
    found = {
        "ms CPU": 1000 * (process.cpu() - cpu) / len(visitors),
        "ms of load": 1000 * (time.process_time() - own) / len(visitors),
        "connects/s": len(visitors) / (time.monotonic() - begun),
        "KB at once": KILOBYTES * (process.memory() - memory) / len(visitors),
    }
    await asyncio.sleep(SETTLE)
    found["KB idle"] = KILOBYTES * (process.memory() - memory) / len(visitors)
    await go(everybody.values(), process)
    return found | {"ms CPU again": await measure_return(server.port, visitors[:RETURNING], process)}


async def measure_return(port: int, visitors: list[Visitor], process: Process) -> float:
    """Connect those who were here a moment ago; return what each costs in milliseconds."""
    await come_and_go(port, visitors, process)
    cpu = process.cpu()
    everybody = await clients.join_all(port, visitors, AT_ONCE)
    spent = process.cpu() - cpu
    hang_up(everybody.values())
    return 1000 * spent / len(visitors)


async def come_and_go(port: int, visitors: list[Visitor], process: Process) -> None:
    """Have them connect, and go; return once the server has noticed."""
    await go((await clients.join_all(port, visitors, AT_ONCE)).values(), process)


async def go(everybody: Collection[Client], process: Process) -> None:
    """Hang up, and return once the server has noticed."""
    before = process.files()
    hang_up(everybody)
    await until(lambda: process.files() <= before - len(everybody), SETTLE)
    await asyncio.sleep(SETTLE)  # what they heard is left behind them


def hang_up(everybody: Collection[Client]) -> None:
    """Close them all, of which none has been closed by the server."""
    assert not any(client.ended.done() for client in everybody), "The server has hung up on somebody."
    for client in everybody:
        client.close()


def idle(ours: dict[str, str], visitors: list[Visitor], rounds: int) -> list[dict[str, Any]]:
    """Measure each server in turn, each time anew; return the medians."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for _ in range(rounds):
        for name, start in SERVERS.items():
            with start(ours) as server:
                found[name].append(uvloop.run(measure_idle(server, visitors)))
    return compare({name: {key: median(row[key] for row in rows) for key in rows[0]} for name, rows in found.items()})


def compare(middle: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return a row for each server, with its memory as a share of what node's takes."""
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
    """Everybody's sockets on one server, and when each is subscribed again after all have ended."""

    def __init__(self, port: int, visitors: list[Visitor]) -> None:
        self._port, self._visitors, self.pages = port, visitors, Pages(port)
        self.back: list[float] = []
        self.refusals: Counter[str] = Counter()

    async def break_out(self, begin: Callable[[], None]) -> None:
        """Connect as many as can in RAMP seconds, begin, and return once they are all back."""
        await self.pages.open(self._visitors[0])
        joined = await clients.join_all(self._port, self._visitors, AT_ONCE, within=RAMP)
        await asyncio.sleep(QUIET)
        self.began_at = time.monotonic()
        begin()
        returning = [asyncio.create_task(self._return(client, visitor)) for visitor, client in joined.items()]
        returned, missing = await asyncio.wait(returning, timeout=clients.PATIENCE)
        for task in missing:
            task.cancel()
        everybody = [task.result() for task in returned]
        self.missing = len(missing) + sum(client.ended.done() for client in everybody)
        for client in everybody:
            client.close()

    async def _return(self, client: Client, visitor: Visitor) -> Client:
        again = await self.pages.return_(client, visitor, self.refusals)
        self.back.append(time.monotonic() - self.began_at)
        return again


def storm(ours: dict[str, str], visitors: list[Visitor], rate: float) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Kill the worker of `manage.py serve`, and replace it as a deploy does; return the refusals, too."""
    rows, refusals = [], Counter[str]()
    for name, begin in {"killed": kill_worker, "replaced": reload}.items():
        with serving(ours) as server, visiting(server.port, visitors[0].page, visitors[0].cookie, rate) as visits:
            storm = Storm(server.port, visitors)
            uvloop.run(storm.break_out(lambda begin=begin, server=server: begin(server)))
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
    """Have the worker replaced, as a deploy does."""
    server.process.send_signal(signal.SIGHUP)


def histories(asked: Pages) -> dict[str, Any]:
    """Return how many were told on the line that they missed nothing, and how many questions the history had."""
    return {
        "told on line": asked.answers["on the line"],
        "histories": asked.answers["history"],
        "turned away": asked.answers["history later"],
        "failed": asked.answers["history failed"],
        "p50 history": round(1000 * median(asked.took)) if asked.took else None,
    }


def pages(when: str, visits: list[Visit]) -> dict[str, Any]:
    """Return how long pages took, in milliseconds, and how many did not come."""
    cuts = quantiles([1000 * visit.took for visit in visits], n=100, method="inclusive")
    failed = sum(not visit.came for visit in visits)
    return {
        f"pages {when}": len(visits),
        f"p50 {when}": round(cuts[49]),
        f"p99 {when}": round(cuts[98]),
        f"failed {when}": failed,
    }


# -- All of it


def main() -> None:
    """Measure, and show it."""
    options = parse()
    with ExitStack() as stack:
        ours = stack.enter_context(desk.services())
        visitors = desk.gather(max(options.sockets, options.storm))
        if options.sockets:
            rows = idle(ours, visitors[: options.sockets], options.rounds)
            title = f"{options.sockets} idle sockets with three subscriptions each, and a connect with them"
            report.publish("connections", title, rows, bars="KB idle", notes=f"Medians of {options.rounds} rounds.")
        if options.storm:
            rows, refusals = storm(ours, visitors[: options.storm], options.pages)
            why = "; ".join(f"refused {count}: {reason}" for reason, count in refusals.most_common(5))
            title = "All sockets come back at once to one process"
            report.publish("storm", title, rows, bars="s all", notes=f"Pages in milliseconds. {why}")
            assert not any(row["missing"] for row in rows), "Not everybody came back."


def parse() -> Namespace:
    """Return how much is to be measured."""
    parser = ArgumentParser()
    parser.add_argument("--sockets", type=int, default=1000, help="idle ones; 0 leaves them out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--storm", type=int, default=5000, help="sockets that come back; 0 leaves it out")
    parser.add_argument("--pages", type=float, default=4, help="pages a second meanwhile")
    return parser.parse_args()


if __name__ == "__main__":
    main()
