"""The presence store in Redis. It uses Redis's clock, because those of several machines differ."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

from redis import RedisError

from realtime.conf import config
from realtime.presence.store import (
    SOCKET_LIST_EXPIRY,
    EntryChange,
    Keys,
    Occupancy,
    PresenceEvent,
    PresenceStore,
    ProcessReport,
    SocketReport,
    SyncRequest,
    SyncResult,
    presence_events,
)
from realtime.protocol import Member, encode
from realtime.utils import redis_client
from realtime.utils.circuit_breaker import redis_breaker, unavailable_on

SEPARATOR = "\n"  # between process and member in the field of an entry; neither contains line breaks

# Write a process's changes and remove the processes whose leases have expired. All keys start with ARGV[1]; their
# names are a stored format that releases share. The entries of a channel are a hash from "process\nmember" to
# [sockets, id, info]. Return whether the process had a lease, and the entries of the changed channels before and
# after.
SYNC = """
local prefix, process, lease, changes = ARGV[1], ARGV[2], tonumber(ARGV[3]), cjson.decode(ARGV[4])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local processes, occupied = prefix .. 'processes', prefix .. 'occupied'

local function entries_key(channel) return prefix .. 'seats:' .. channel end
local function channels_key(name) return prefix .. 'channels:' .. name end

local touched, before = {}, {}
local function touch(channel)
  if touched[channel] then return end
  touched[channel] = true
  for _, field in ipairs(redis.call('HKEYS', entries_key(channel))) do
    before[#before + 1] = {channel, string.match(field, '\\n(.*)$')}
  end
end

local known = tonumber(redis.call('ZSCORE', processes, process) or '0') > now

for _, name in ipairs(redis.call('ZRANGEBYSCORE', processes, '-inf', now)) do
  if name ~= process or ARGV[5] == 'remove' then
    for _, channel in ipairs(redis.call('SMEMBERS', channels_key(name))) do
      touch(channel)
      for _, field in ipairs(redis.call('HKEYS', entries_key(channel))) do
        if string.sub(field, 1, #name + 1) == name .. '\\n' then redis.call('HDEL', entries_key(channel), field) end
      end
    end
    redis.call('DEL', channels_key(name))
    for _, what in ipairs({'report:', 'sockets:', 'crowd:'}) do redis.call('DEL', prefix .. what .. name) end
    redis.call('ZREM', processes, name)
  end
end

for _, change in ipairs(changes) do
  local channel, field = change[1], process .. '\\n' .. change[2]
  touch(channel)
  if change[3] then
    redis.call('HSET', entries_key(channel), field, change[3])
    redis.call('SADD', channels_key(process), channel)
  else
    redis.call('HDEL', entries_key(channel), field)
  end
end
if ARGV[5] ~= 'remove' then redis.call('ZADD', processes, now + lease, process) end

local after = {}
for channel, _ in pairs(touched) do
  local fields = redis.call('HKEYS', entries_key(channel))
  for _, field in ipairs(fields) do after[#after + 1] = {channel, string.match(field, '\\n(.*)$')} end
  if #fields == 0 then redis.call('SREM', occupied, channel) else redis.call('SADD', occupied, channel) end
end
return {known and 1 or 0, before, after}
"""

# Count one more socket of a process under each of the keys that follow, unless that exceeds the limit after one of
# them: then return that key. The counts of a process are a hash that lives as long as its lease.
ADMIT = """
local prefix, process = ARGV[1], ARGV[2]
local own = prefix .. 'crowd:' .. process
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000

local names, limits = {}, {}
for place = 4, #ARGV, 2 do
  names[#names + 1], limits[#limits + 1] = ARGV[place], tonumber(ARGV[place + 1])
end

local function counts_of(key) return redis.call('HMGET', key, unpack(names)) end
local counts = {}
for place, count in ipairs(counts_of(own)) do counts[place] = tonumber(count or '0') end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'processes', now, '+inf')) do
  if name ~= process then
    for place, count in ipairs(counts_of(prefix .. 'crowd:' .. name)) do
      counts[place] = counts[place] + tonumber(count or '0')
    end
  end
end
for place, name in ipairs(names) do
  if counts[place] >= limits[place] then return name end
end
for _, name in ipairs(names) do redis.call('HINCRBY', own, name, 1) end
redis.call('PEXPIRE', own, ARGV[3])
return false
"""


class RedisPresenceStore(PresenceStore):
    """The presence store in Redis."""

    @unavailable_on(RedisError)
    def sync(self, request: SyncRequest) -> SyncResult:
        had_lease, events = _sync(request.process, request.changes)
        if request.report is not None:
            _put_for_lease("report", request.process, asdict(request.report))
        if request.report is not None or request.connection_counts:
            _put_connection_counts(request.process, request.connection_counts)
        if request.sockets is not None:
            _put_for_lease("sockets", request.process, [asdict(socket) for socket in request.sockets])
        wants_sockets = request.report is not None and bool(_redis().exists(redis_client.key("wants-sockets")))
        return SyncResult(had_lease, events, self.occupancy(request.channels), wants_sockets)

    @unavailable_on(RedisError)
    def remove_process(self, process: str) -> list[PresenceEvent]:
        """See the base class: expire the lease, then remove what has expired."""
        _redis().zadd(redis_client.key("processes"), {process: 0})
        return _sync(process, [], "remove")[1]

    @unavailable_on(RedisError)
    def admit_connection(self, process: str, limits: Mapping[str, int]) -> str | None:
        """See the base class; a Redis that hangs delays only the first connection."""
        args = [redis_client.key(), process, _lease(), *chain.from_iterable(limits.items())]
        return redis_breaker.call(redis_client.script(ADMIT), args=args) or None

    @unavailable_on(RedisError)
    def occupancy(self, channels: Iterable[str]) -> dict[str, Occupancy]:
        names = list(dict.fromkeys(channels))
        if not names:
            return {}
        pipeline = _writable_pipeline()
        pipeline.time().zrange(redis_client.key("processes"), 0, -1, withscores=True)
        for channel in names:
            pipeline.hgetall(redis_client.key(f"seats:{channel}"))
        _, (seconds, microseconds), leases, *hashes = pipeline.execute()
        now = seconds + microseconds / 1_000_000
        live = {name for name, until in leases if until > now}
        return {channel: _occupancy(entries, live) for channel, entries in zip(names, hashes, strict=True)}

    @unavailable_on(RedisError)
    def channel_names(self) -> list[str]:
        return list(_writable_pipeline().smembers(redis_client.key("occupied")).execute()[1])

    @unavailable_on(RedisError)
    def processes(self) -> list[ProcessReport]:
        reports = [ProcessReport(**report) for report in _of_processes("report")]
        return sorted(reports, key=lambda report: report.name)

    @unavailable_on(RedisError)
    def request_sockets(self) -> None:
        _redis().set(redis_client.key("wants-sockets"), 1, ex=SOCKET_LIST_EXPIRY)

    @unavailable_on(RedisError)
    def sockets(self) -> list[SocketReport]:
        return [SocketReport(**socket) for listed in _of_processes("sockets") for socket in listed]


def _sync(process: str, changes: Sequence[EntryChange], action: str = "") -> tuple[bool, list[PresenceEvent]]:
    encoded = encode([[change.channel, change.key, _encode_entry(change)] for change in changes])
    args = [redis_client.key(), process, config().lease, encoded, action]
    had_lease, before, after = redis_client.script(SYNC)(args=args)
    return bool(had_lease), presence_events(_keys(before), _keys(after))


def _encode_entry(change: EntryChange) -> str | bool:
    if change.sockets is None:
        return False
    member = change.member
    return encode([change.sockets, *([] if member is None else [member.id, member.info])])


def _keys(pairs: list[list[str]]) -> Keys:
    return {(channel, member) for channel, member in pairs}


def _put_for_lease(what: str, process: str, value: Any) -> None:
    _redis().set(redis_client.key(f"{what}:{process}"), encode(value), px=_lease())


def _put_connection_counts(process: str, counts: Mapping[str, int]) -> None:
    key, pipeline = redis_client.key(f"crowd:{process}"), _redis().pipeline()
    for name, count in counts.items():
        if count:
            pipeline.hset(key, name, count)
        else:
            pipeline.hdel(key, name)
    pipeline.pexpire(key, _lease())
    pipeline.execute()


def _occupancy(entries: dict[str, str], live_processes: set[str]) -> Occupancy:
    total, members = 0, {}
    for field, text in sorted(entries.items()):
        process, member = field.split(SEPARATOR, 1)
        if process in live_processes:
            sockets, *shown = json.loads(text)
            total += sockets
            if member:
                members[member] = Member(*shown)
    return Occupancy(total, members)


def _of_processes(what: str) -> list[Any]:
    names = _writable_pipeline().zrange(redis_client.key("processes"), 0, -1).execute()[1]
    found = _redis().mget([redis_client.key(f"{what}:{name}") for name in names]) if names else []
    return [json.loads(text) for text in found if text is not None]


def _writable_pipeline() -> Any:
    """Return a pipeline that fails unless Redis accepts writes; its first result is not used.

    A read-only replica, or a full Redis, would go on answering with entries that no process can renew or remove.
    """
    return _redis().pipeline(transaction=False).set(redis_client.key("is-writable"), 1, px=_lease())


def _lease() -> int:
    """Return the lease in milliseconds."""
    return int(config().lease * 1000)


def _redis() -> Any:
    return redis_client.connection()
