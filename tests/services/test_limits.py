"""What one person asks for is counted in Redis, so that more server processes do not allow more."""

from limits import parse

from realtime import limits

TWICE = parse("2/minute")


def asks(who):
    return limits.allowed(TWICE, "the news", who)


def test_a_person_is_counted_by_all_processes_together(redis_server):
    assert asks("casey")
    limits._limiter.cache_clear()  # as in another process
    assert [asks("casey"), asks("casey"), asks("greta")] == [True, False, True]


def test_nobody_is_turned_away_while_redis_is_down(redis_server):
    assert [asks("bao"), asks("bao"), asks("bao")] == [True, True, False]
    redis_server.kill()
    assert asks("bao")
