"""How many socket processes a number of people needs: a calculation from the measured costs in docs/benchmarks.md."""

import math
from argparse import ArgumentParser
from dataclasses import dataclass, fields

DELIVERY = 16e-6  # seconds of CPU for one event to one socket: 63,000 a second
EVENT = 0.3e-3  # seconds of CPU of each process that receives an event
RECONNECT = 8.4e-3  # seconds of CPU to bring one page back: 5000 in 42 seconds
SOCKET = 10 * 1024  # bytes of an idle socket with three channels
PROCESS = 150 * 1024**2  # bytes of a worker without sockets: an assumption, since other benchmarks load no pages
GROUPS = 6  # messages of one reply on the channel layer: four channels, two of which have two audiences
TARGET_LOAD = 0.4  # of a core: above that the p99 of an event rises


@dataclass(frozen=True)
class Site:
    """People connected at a time, and what they do."""

    people: int = 10_000
    pages: float = 1.5  # open pages of each
    events: float = 20  # changes per second on the whole site
    watchers: float = 10  # open pages that show a change
    back_within: float = 60  # seconds after all processes have ended


def plan(site: Site) -> dict[str, float]:
    """Return the number of processes, one a core, and the load of what they share."""
    sockets = site.people * site.pages
    # Each process receives the groups that it has a page of; at most as many as there are watchers.
    received = min(site.watchers, GROUPS)
    work = site.events * (site.watchers * DELIVERY + received * EVENT)
    processes = max(math.ceil(work / TARGET_LOAD), math.ceil(sockets * RECONNECT / site.back_within), 1)
    return {
        "sockets": sockets,
        "socket processes": processes,
        "sockets per process": math.ceil(sockets / processes),
        "memory per process, MB": (PROCESS + SOCKET * sockets / processes) / 1024**2,
        "load per process, %": 100 * work / processes,
        "Redis: messages per second": site.events * GROUPS,
        "PostgreSQL: reads of the log per second": processes,
        "event log: GB per day at this rate": site.events * GROUPS * 1024 * 86400 / 1024**3,
    }


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    for field in fields(Site):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    for name, value in plan(Site(**vars(parser.parse_args()))).items():
        print(f"{name:<42}{value:>14,.0f}")


if __name__ == "__main__":
    main()
