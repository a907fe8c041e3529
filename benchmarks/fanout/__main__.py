"""One event to many sockets, ours compared with others: `python -m benchmarks.fanout`, or `make bench-fanout`.

The server has one core; the load generator, Redis, PostgreSQL and the publisher have the other. The servers take
turns in each round, and figures are the medians of the rounds. To run a part:

    python -m benchmarks.fanout --servers ours,ceiling,ws --sizes 1000,2000x400 --rounds 1 --seconds 1
"""

import json
import resource
import subprocess
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector
from statistics import median
from subprocess import PIPE
from typing import Any, NamedTuple, Self

from benchmarks import report
from benchmarks.cores import LOAD, on_core
from benchmarks.fanout.servers import CONTENDERS, OURS, Contender, Place, Served, Unavailable, place

PHASES = {"w1": "window 1 {}", "w16": "window 16 {}", "r20": "rate 20 {}"}
WARM_UP = "window 1 1"  # excludes one-time initialization
TIMEOUT = 150  # seconds for all sockets to join, or for one phase
DELIVERY_TIMEOUT = 10  # seconds after the last request until an event counts as lost
FAULTS = "lost", "doubled", "reordered", "closed"
FOR_MANY_CHANNELS = {"ceiling", OURS, "ws", "stock-uvicorn"}
COMPARED = "w1 deliveries/s", "w16 deliveries/s", "w1 µs CPU", "w16 µs CPU", "r20 p50 ms"
BURST_SIZE, BURST = 500, 400


class Size(NamedTuple):
    """Number of sockets and of channels."""

    sockets: int
    channels: int = 1

    @classmethod
    def of(cls, text: str) -> Self:
        """Parse `4000` or `2000x400`."""
        return cls(*map(int, text.split("x")))

    def __str__(self) -> str:
        return str(self.sockets) if self.channels == 1 else f"{self.sockets}x{self.channels}"


class Overloaded(Exception):
    """The server cannot carry the load."""


@dataclass
class Measurement:
    """Figures of one server at one size, one per round."""

    figures: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    problems: list[str] = field(default_factory=list)

    def take(self, phase: str, found: dict[str, Any], cpu: float) -> None:
        """Add the result of one phase; `cpu` is the server's CPU time in seconds."""
        seconds, delivered = found["seconds"], found["delivered"]
        for name in FAULTS:
            self.faults[name] += found[name]
        figures = {}
        if delivered:
            figures = {
                "deliveries": delivered / seconds,
                "us": 1e6 * cpu / delivered,
                "load": 100 * found["cpu"] / seconds,
            }
        if phase == "r20" and not found["lost"]:
            figures |= {"p50": found["p50"], "p99": found["p99"]}
        for name, figure in figures.items():
            self.figures[f"{phase} {name}"].append(figure)
        if found["lost"]:
            raise Overloaded(
                f"{phase}: {found['lost']} of {found['lost'] + delivered} deliveries not within {DELIVERY_TIMEOUT} s"
            )

    def middle(self, name: str, digits: int | None = None) -> float | None:
        """Return the median of a figure, None if there is none."""
        return round(median(self.figures[name]), digits) if self.figures[name] else None

    def row(self, name: str) -> dict[str, Any]:
        """Return the row of the table."""
        loads = [self.middle(f"{phase} load") for phase in PHASES]
        return {
            "server": name,
            "w1 deliveries/s": self.middle("w1 deliveries"),
            "w1 µs CPU": self.middle("w1 us", 1),
            "w16 deliveries/s": self.middle("w16 deliveries"),
            "w16 µs CPU": self.middle("w16 us", 1),
            "r20 p50 ms": self.middle("r20 p50", 1),
            "r20 p99 ms": self.middle("r20 p99", 1),
            "r20 µs CPU": self.middle("r20 us", 1),
            "load's CPU % in w1, w16, r20": " ".join("-" if load is None else str(load) for load in loads),
            **{name: self.faults[name] for name in FAULTS},
        }


class Load:
    """The load generator, with its sockets open while the block runs."""

    def __init__(self, place: Place, served: Served, speaks: str, size: Size) -> None:
        words = served.port, served.control, size.sockets, size.channels, speaks
        with on_core(LOAD):
            command = [str(place.programs / "load"), *map(str, words)]
            self._process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
        self._served = served

    def __enter__(self) -> Self:
        try:
            self._answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, phase: str) -> tuple[dict[str, Any], float]:
        """Run a phase; return the load generator's counts and the server's CPU seconds."""
        assert self._process.stdin is not None
        before = self._served.cpu()
        self._process.stdin.write(f"{phase}\n")
        self._process.stdin.flush()
        found = json.loads(self._answer())
        return found, self._served.cpu() - before

    def _answer(self) -> str:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        with DefaultSelector() as selector:
            selector.register(self._process.stdout, EVENT_READ)
            if not selector.select(TIMEOUT):
                raise Overloaded(f"no answer within {TIMEOUT} s")
        line = self._process.stdout.readline()
        if not line:
            raise Overloaded(self._process.stderr.read().strip()[:200])
        return line


def measure(contender: Contender, size: Size, place: Place, into: Measurement, seconds: float) -> None:
    """Measure one server once; stop and record a problem if it cannot carry the load."""
    try:
        with contender.serve(place) as served, Load(place, served, contender.speaks, size) as load:
            load.run(WARM_UP)
            for name, phase in PHASES.items():
                into.take(name, *load.run(phase.format(seconds)))
    except (Overloaded, Unavailable) as problem:
        into.problems.append(str(problem))


def burst(place: Place) -> str:
    """Publish many events at once, and describe the result in one sentence."""
    size = Size(BURST_SIZE)
    with CONTENDERS[OURS].serve(place) as served, Load(place, served, CONTENDERS[OURS].speaks, size) as load:
        found, _ = load.run(f"burst {BURST}")
    faults = ", ".join(f"{found[name]} {name}" for name in FAULTS)
    return f"{BURST} events at once to {BURST_SIZE} sockets of {OURS}: {faults}, in {found['seconds']:.2f} s."


def ratios(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield our figures as ratios of each other server's."""
    named = {row["server"]: row for row in rows}
    for name, row in named.items():
        if OURS in named and name != OURS:
            compared = (f"{column} {_ratio(named[OURS][column], row[column])}" for column in COMPARED)
            yield f"{OURS} / {name}: " + ", ".join(compared)


def _ratio(one: float | None, other: float | None) -> str:
    return f"{one / other:.2f}" if one and other else "-"


def asked(size: Size, names: Iterable[str]) -> list[str]:
    """Return the servers measured at a size."""
    return [name for name in names if size.channels == 1 or name in FOR_MANY_CHANNELS]


def run(place: Place, options: Namespace, size: Size, sentences: list[str]) -> None:
    """Measure each server in each round at one size, and publish the table."""
    found = {name: Measurement() for name in asked(size, options.servers)}
    for turn in range(options.rounds):
        for name, measured in found.items():
            measure(CONTENDERS[name], size, place, measured, options.seconds)
            print(f"{size}, round {turn + 1}: {measured.row(name)}", flush=True)
    rows = [measured.row(name) for name, measured in found.items()]
    problems = [f"{name}: {problem}" for name, measured in found.items() for problem in measured.problems]
    title = f"Fan-out to {size.sockets} sockets in {size.channels} channel" + "s" * (size.channels > 1)
    notes = "\n".join([*ratios(rows), *problems, *sentences])
    report.publish(f"fanout-{size}", title, rows, bars="w1 deliveries/s", notes=notes)


def options() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--servers", type=lambda text: text.split(","), default=list(CONTENDERS))
    parser.add_argument(
        "--sizes", type=lambda text: list(map(Size.of, text.split(","))), default="1000,2000x400,4000"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    return parser.parse_args()


def allow_many_files() -> None:
    """Raise the limit of open files for this process and its children to the maximum."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    """Measure all sizes and publish the tables."""
    chosen = options()
    allow_many_files()
    with place() as where:
        sentences = [burst(where)] if OURS in chosen.servers else []
        for size in chosen.sizes:
            run(where, chosen, size, sentences)


if __name__ == "__main__":
    main()
