"""Test that counting connections takes constant time, and that a circuit breaker probes with one call."""

from types import SimpleNamespace

import pytest

from realtime.server.connection_limits import ConnectionLimits, limit_keys
from realtime.utils import circuit_breaker
from realtime.utils.circuit_breaker import CircuitBreaker, ServiceUnavailable


def test_recounting_a_connection_releases_its_old_limit_keys():
    crowd, sockets = ConnectionLimits("here"), [object() for _ in range(3)]
    assert [crowd.count(socket, limit_keys(None, "2001:db8::1")) for socket in sockets] == [None] * 3
    place = "2001:db8::/64"
    assert crowd.changes() == {f"anonymous:{place}": 3, f"address:{place}": 3}
    assert crowd.count(sockets[0], {f"address:{place}": 3, "user:casey": 1}) is None
    assert crowd.count(sockets[1], {f"address:{place}": 3, "user:casey": 1}) == "user:casey"
    assert crowd.changes()["user:casey"] == 1, "Who is refused is not counted."
    for _ in range(2):
        crowd.discard(sockets[1])
    assert crowd.changes() == {f"anonymous:{place}": 1, f"address:{place}": 2, "user:casey": 1}


def test_store_receives_changed_counts_only():
    crowd, socket = ConnectionLimits("here"), object()
    crowd.count(socket, {"user:casey": 9})
    said = crowd.changes()
    crowd.count(object(), {"user:casey": 9})
    crowd.mark_synced(said)
    assert crowd.changes() == {"user:casey": 2}
    crowd.mark_synced({"user:casey": 2})
    assert crowd.changes() == {}
    crowd.resync()
    assert crowd.changes() == {"user:casey": 2}


def test_released_counts_are_reported_until_the_store_knows_them():
    crowd, sockets = ConnectionLimits("here"), [object(), object()]
    for socket in sockets:
        crowd.count(socket, {"user:casey": 9})
    assert not crowd.has_released
    crowd.discard(sockets[0])
    sent = crowd.changes()
    crowd.discard(sockets[1])
    crowd.mark_synced(sent)
    assert (crowd.has_released, crowd.changes()) == (True, {"user:casey": 0})
    crowd.mark_synced(crowd.changes())
    assert not crowd.has_released


@pytest.mark.parametrize("address", ["", "127.0.0.1", "::1"])
def test_untrusted_proxy_address_is_not_limited(address):
    assert limit_keys(None, address) == {}
    assert list(limit_keys("casey", address)) == ["user:casey"]


def test_one_call_probes_while_the_others_go_on_without(monkeypatch):
    now, asked = SimpleNamespace(seconds=100.0), []
    monkeypatch.setattr(circuit_breaker.time, "monotonic", lambda: now.seconds)
    door = CircuitBreaker("Redis", OSError)

    def fail():
        asked.append("one")
        raise OSError

    def meanwhile():
        with pytest.raises(ServiceUnavailable):
            door.call(asked.append, "another")
        return "back"

    with pytest.raises(ServiceUnavailable):
        door.call(fail)
    with pytest.raises(ServiceUnavailable):
        door.call(fail)
    now.seconds += circuit_breaker.RETRY_INTERVAL
    assert door.call(meanwhile) == "back"
    door.call(asked.append, "all")
    assert asked == ["one", "all"]


def test_service_that_fails_its_probe_is_not_read(monkeypatch):
    """A full Redis answers reads, with what it held before it could not be written."""
    monkeypatch.setattr(circuit_breaker, "RETRY_INTERVAL", 0)
    asked, is_writable = [], False

    def probe():
        if not is_writable:
            raise OSError

    door = CircuitBreaker("Redis", OSError, probe=probe)
    assert door.call(lambda: "read") == "read", "Nothing has failed yet."
    with pytest.raises(ServiceUnavailable):
        door.call(probe)
    with pytest.raises(ServiceUnavailable):
        door.call(asked.append, "old")
    is_writable = True
    door.call(asked.append, "new")
    assert asked == ["new"]
