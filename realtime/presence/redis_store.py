"""The census in Redis. Times are Redis's own, so that the clocks of several machines need not agree."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from types import ModuleType
from typing import Any

import redis

from realtime.conf import config
from realtime.presence.store import (
    Change,
    Occupancy,
    Seats,
    SyncRequest,
    SyncResult,
    Unavailable,
    transitions,
)
from realtime.protocol import Member, encode
from realtime.utils import redis_client
from realtime.utils.circuit_breaker import redis_breaker

SEPARATOR = "\n"  # between process and member in the field of a seat; neither has line breaks

# Writes a process's word and ends the leases that ran out. Keys all begin with ARGV[1]; a channel's seats are a hash
# from "process\nmember" to [sockets, id, info]. Returns whether the process was known, and the seats of the channels
# concerned before and after.
EXCHANGE = """
local prefix, process, lease, changes = ARGV[1], ARGV[2], tonumber(ARGV[3]), cjson.decode(ARGV[4])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local processes, occupied = prefix .. 'processes', prefix .. 'occupied'

local function seats_of(channel) return prefix .. 'seats:' .. channel end
local function channels_of(name) return prefix .. 'channels:' .. name end

local touched, before = {}, {}
local function touch(channel)
  if touched[channel] then return end
  touched[channel] = true
  for _, field in ipairs(redis.call('HKEYS', seats_of(channel))) do
    before[#before + 1] = {channel, string.match(field, '\\n(.*)$')}
  end
end

local known = tonumber(redis.call('ZSCORE', processes, process) or '0') > now

for _, name in ipairs(redis.call('ZRANGEBYSCORE', processes, '-inf', now)) do
  if name ~= process or ARGV[5] == 'forget' then
    for _, channel in ipairs(redis.call('SMEMBERS', channels_of(name))) do
      touch(channel)
      for _, field in ipairs(redis.call('HKEYS', seats_of(channel))) do
        if string.sub(field, 1, #name + 1) == name .. '\\n' then redis.call('HDEL', seats_of(channel), field) end
      end
    end
    redis.call('DEL', channels_of(name))
    for _, what in ipairs({'report:', 'sockets:', 'crowd:'}) do redis.call('DEL', prefix .. what .. name) end
    redis.call('ZREM', processes, name)
  end
end

for _, change in ipairs(changes) do
  local channel, field = change[1], process .. '\\n' .. change[2]
  touch(channel)
  if change[3] then
    redis.call('HSET', seats_of(channel), field, change[3])
    redis.call('SADD', channels_of(process), channel)
  else
    redis.call('HDEL', seats_of(channel), field)
  end
end
if ARGV[5] ~= 'forget' then redis.call('ZADD', processes, now + lease, process) end

local after = {}
for channel, _ in pairs(touched) do
  local fields = redis.call('HKEYS', seats_of(channel))
  for _, field in ipairs(fields) do after[#after + 1] = {channel, string.match(field, '\\n(.*)$')} end
  if #fields == 0 then redis.call('SREM', occupied, channel) else redis.call('SADD', occupied, channel) end
end
return {known and 1 or 0, before, after}
"""

# Counts one more socket of a process as each of the names that follow, unless that is over the number beside one of
# them: then it returns that name. What a process has is a hash that lives as long as its lease.
ADMIT = """
local prefix, process = ARGV[1], ARGV[2]
local own = prefix .. 'crowd:' .. process
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000

local names, most = {}, {}
for place = 4, #ARGV, 2 do
  names[#names + 1], most[#most + 1] = ARGV[place], tonumber(ARGV[place + 1])
end

local function has(key) return redis.call('HMGET', key, unpack(names)) end
local counts = {}
for place, count in ipairs(has(own)) do counts[place] = tonumber(count or '0') end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'processes', now, '+inf')) do
  if name ~= process then
    for place, count in ipairs(has(prefix .. 'crowd:' .. name)) do
      counts[place] = counts[place] + tonumber(count or '0')
    end
  end
end
for place, name in ipairs(names) do
  if counts[place] >= most[place] then return name end
end
for _, name in ipairs(names) do redis.call('HINCRBY', own, name, 1) end
redis.call('PEXPIRE', own, ARGV[3])
return false
"""


@contextmanager
def opened() -> Iterator[ModuleType]:
    """Give this module; a Redis that is away makes the census unavailable."""
    try:
        yield sys.modules[__name__]
    except redis.RedisError as error:
        raise Unavailable(str(error)) from error


def exchange(word: SyncRequest) -> SyncResult:
    """See `store.exchange`."""
    known, events = _say(word.process, word.changes)
    if word.report is not None:
        _keep_for_lease("report", word.process, asdict(word.report))
        _keep_crowd(word.process, word.crowd)
    if word.sockets is not None:
        _keep_for_lease("sockets", word.process, [asdict(socket) for socket in word.sockets])
    wants_sockets = word.report is not None and bool(
        redis_client.connection().exists(redis_client.key("wants-sockets"))
    )
    return SyncResult(known, events, occupancy(word.rooms), wants_sockets)


def _say(process: str, changes: Sequence[Change], act: str = "") -> tuple[bool, list[dict[str, str]]]:
    told = [[change.channel, change.key, _seat(change)] for change in changes]
    known, before, after = redis_client.script(EXCHANGE)(
        args=[redis_client.key(), process, config().lease, encode(told), act]
    )
    return bool(known), transitions(_seats(before), _seats(after))


def _seat(change: Change) -> str | bool:
    if change.sockets is None:
        return False
    member = change.member
    return encode([change.sockets, *([] if member is None else [member.id, member.info])])


def _seats(pairs: list[list[str]]) -> Seats:
    return {(channel, member) for channel, member in pairs}


def _keep_for_lease(what: str, process: str, value: Any) -> None:
    redis_client.connection().set(redis_client.key(f"{what}:{process}"), encode(value), px=_lease())


def _keep_crowd(process: str, counts: Mapping[str, int]) -> None:
    key, pipeline = redis_client.key(f"crowd:{process}"), redis_client.connection().pipeline()
    for name, count in counts.items():
        if count:
            pipeline.hset(key, name, count)
        else:
            pipeline.hdel(key, name)
    pipeline.pexpire(key, _lease())
    pipeline.execute()


def admit(process: str, shares: Mapping[str, int]) -> str | None:
    """See `store.admit`. A Redis that hangs is not waited for at each connection."""
    args = [redis_client.key(), process, _lease(), *chain.from_iterable(shares.items())]
    return redis_breaker.call(redis_client.script(ADMIT), args=args) or None


def forget(process: str) -> list[dict[str, str]]:
    """See `store.forget`: its lease is made to have run out."""
    redis_client.connection().zadd(redis_client.key("processes"), {process: 0})
    return _say(process, [], "forget")[1]


def occupancy(channels: Sequence[str]) -> dict[str, Occupancy]:
    """See `store.occupancy`."""
    found = {channel: Occupancy() for channel in channels}
    if not found:
        return found
    pipeline = redis_client.connection().pipeline(transaction=False)
    pipeline.time().zrange(redis_client.key("processes"), 0, -1, withscores=True)
    for channel in found:
        pipeline.hgetall(redis_client.key(f"seats:{channel}"))
    (seconds, microseconds), leases, *hashes = pipeline.execute()
    now = seconds + microseconds / 1_000_000
    running = {name for name, until in leases if until > now}
    return {channel: _occupancy(seats, running) for channel, seats in zip(found, hashes, strict=True)}


def _occupancy(seats: dict[str, str], running: set[str]) -> Occupancy:
    total, members = 0, {}
    for field, text in sorted(seats.items()):
        process, member = field.split(SEPARATOR, 1)
        if process in running:
            sockets, *shown = json.loads(text)
            total += sockets
            if member:
                members[member] = Member(*shown)
    return Occupancy(total, members)


def occupied() -> list[str]:
    """Return the names of the channels that somebody hears, or heard on a process that is gone."""
    return list(redis_client.connection().smembers(redis_client.key("occupied")))


def reports() -> list[dict[str, Any]]:
    """Return what the running processes said last of how they are doing."""
    return _of_processes("report")


def sockets() -> list[dict[str, Any]]:
    """Return the sockets that the running processes listed last."""
    return [socket for listed in _of_processes("sockets") for socket in listed]


def _of_processes(what: str) -> list[Any]:
    names = redis_client.connection().zrange(redis_client.key("processes"), 0, -1)
    found = redis_client.connection().mget([redis_client.key(f"{what}:{name}") for name in names]) if names else []
    return [json.loads(text) for text in found if text is not None]


def ask_for_sockets(seconds: int) -> None:
    """See `store.ask_for_sockets`."""
    redis_client.connection().set(redis_client.key("wants-sockets"), 1, ex=seconds)


def _lease() -> int:
    """Return the lease in milliseconds."""
    return int(config().lease * 1000)
