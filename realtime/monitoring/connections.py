"""Who is connected to what, with people's names: what the page of live connections shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError

from realtime.monitoring import status
from realtime.monitoring.status import Overview, moment
from realtime.presence import store
from realtime.presence.store import Occupancy, Report, SocketReport

LISTED = 200  # connections, and channels, that are shown at once

People = dict[str, AbstractBaseUser]


@dataclass(frozen=True)
class Process:
    """A server process and since when it runs."""

    report: Report
    since: datetime


@dataclass(frozen=True)
class Channel:
    """An occupied channel, and who is on it where it tells that."""

    name: str
    subscriptions: int
    members: list[str]


@dataclass(frozen=True)
class Connection:
    """A socket, and whose it is; None is somebody who is not signed in, or whose account is elsewhere."""

    report: SocketReport
    person: AbstractBaseUser | None
    since: datetime

    def mentions(self, query: str) -> bool:
        """Say whether a word occurs in what is shown of it."""
        report = self.report
        shown = (self.person or "", report.user_id or "", report.address, report.process, report.socket_id)
        return any(query in str(text).casefold() for text in (*shown, *report.channels))


@dataclass(frozen=True)
class State:
    """Everything on the page; `found` counts what the search found, of which the first LISTED are here."""

    overview: Overview
    processes: list[Process]
    channels: list[Channel]
    channels_found: int
    connections: list[Connection]
    connections_found: int

    @property
    def awaits_list(self) -> bool:
        """Whether connections are known of that no process has listed yet: they do when somebody looks."""
        return self.overview.sockets > 0 and self.connections_found == 0


def read(query: str = "") -> State:
    """Return what there is now, and have the processes list their sockets; raise census.Unavailable if it is away."""
    store.ask_for_sockets()
    found, sockets = status.read(), store.sockets()
    known = people([*(each.user_id for each in sockets), *_member_keys(found.channels.values())])
    word = query.strip().casefold()
    connections = sorted(_connections(sockets, known), key=lambda each: (each.report.since, each.report.socket_id))
    chosen = [each for each in connections if each.mentions(word)]
    channels = [_channel(name, each, known) for name, each in found.channels.items() if word in name.casefold()]
    processes = [Process(report, moment(report.started_at)) for report in found.processes]
    return State(found, processes, channels[:LISTED], len(channels), chosen[:LISTED], len(chosen))


def people(keys: Iterable[str | None]) -> People:
    """Return the users with these keys, by key; a key may be anything that a signature named."""
    field = get_user_model()._meta.pk
    wanted = {}
    for key in {key for key in keys if key}:
        try:
            wanted[field.to_python(key)] = key
        except (ValidationError, ValueError):
            continue
    found: Mapping[Any, AbstractBaseUser] = get_user_model()._default_manager.in_bulk(list(wanted))
    return {wanted[pk]: person for pk, person in found.items()}


def _member_keys(occupancies: Iterable[Occupancy]) -> Iterable[str]:
    return (key for occupancy in occupancies for key in occupancy.members)


def _connections(sockets: Iterable[SocketReport], known: People) -> Iterable[Connection]:
    return (Connection(each, known.get(each.user_id or ""), moment(each.since)) for each in sockets)


def _channel(name: str, found: Occupancy, known: People) -> Channel:
    members = (str(known.get(key) or status.shown_name(member)) for key, member in found.members.items())
    return Channel(name, found.subscriptions, sorted(members))
