"""Live connections, channels and processes with the names of users, for the admin's page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError

from realtime.monitoring.status import ServerStatus, display_name, local_time, read_status
from realtime.presence.store import Occupancy, ProcessReport, SocketReport, presence_store

MAX_ROWS = 200  # connections, and channels, on the page

Users = dict[str, AbstractBaseUser]


@dataclass(frozen=True)
class ProcessRow:
    """A server process and its start."""

    report: ProcessReport
    since: datetime


@dataclass(frozen=True)
class ChannelRow:
    """An occupied channel, and the names of its members if it is a presence channel."""

    name: str
    subscriptions: int
    members: list[str]


@dataclass(frozen=True)
class ConnectionRow:
    """A connection and its user; None for an anonymous connection or a user of another site."""

    report: SocketReport
    user: AbstractBaseUser | None
    since: datetime

    def matches(self, query: str) -> bool:
        """Return whether one of the texts shown contains `query`, in lower case."""
        report = self.report
        shown = (self.user or "", report.user_id or "", report.address, report.process, report.socket_id)
        return any(query in str(text).casefold() for text in (*shown, *report.channels))


@dataclass(frozen=True)
class LiveConnections:
    """The content of the page: at most MAX_ROWS of the connections and channels found, and how many there are."""

    status: ServerStatus
    processes: list[ProcessRow]
    channels: list[ChannelRow]
    channels_found: int
    connections: list[ConnectionRow]
    connections_found: int

    @property
    def is_loading(self) -> bool:
        """Whether there are connections that no process has listed yet: processes do so when asked."""
        return self.status.sockets > 0 and self.connections_found == 0


def read_connections(query: str = "") -> LiveConnections:
    """Return what matches `query`, and ask the processes to list their connections. Raises ServiceUnavailable."""
    presence_store().request_sockets()
    status, sockets = read_status(), presence_store().sockets()
    users = users_by_key([*(each.user_id for each in sockets), *_member_keys(status.channels.values())])
    word = query.strip().casefold()
    connections = sorted(_connections(sockets, users), key=lambda each: (each.report.since, each.report.socket_id))
    found = [each for each in connections if each.matches(word)]
    channels = [_channel(name, each, users) for name, each in status.channels.items() if word in name.casefold()]
    processes = [ProcessRow(report, local_time(report.started_at)) for report in status.processes]
    return LiveConnections(status, processes, channels[:MAX_ROWS], len(channels), found[:MAX_ROWS], len(found))


def users_by_key(keys: Iterable[str | None]) -> Users:
    """Return the users with these primary keys; ids that other back ends have signed are skipped."""
    field = get_user_model()._meta.pk
    wanted = {}
    for key in {key for key in keys if key}:
        try:
            wanted[field.to_python(key)] = key
        except (ValidationError, ValueError):
            continue
    found: Mapping[Any, AbstractBaseUser] = get_user_model()._default_manager.in_bulk(list(wanted))
    return {wanted[pk]: user for pk, user in found.items()}


def _member_keys(occupancies: Iterable[Occupancy]) -> Iterable[str]:
    return (key for occupancy in occupancies for key in occupancy.members)


def _connections(sockets: Iterable[SocketReport], users: Users) -> Iterable[ConnectionRow]:
    return (ConnectionRow(each, users.get(each.user_id or ""), local_time(each.since)) for each in sockets)


def _channel(name: str, found: Occupancy, users: Users) -> ChannelRow:
    members = (str(users.get(key) or display_name(member)) for key, member in found.members.items())
    return ChannelRow(name, found.subscriptions, sorted(members))
