"""A Redis server that fails: gone, silent, full, or a read-only replica after a failover."""

from contextlib import contextmanager

import redis

STATES = ["away", "hanging", "full", "a read-only replica"]


@contextmanager
def failing(server, state):
    """Have the server fail while the block runs, and serve again afterwards."""
    if state == "away":
        server.kill()
        yield
        server.start()
    elif state == "hanging":
        with server.hanging():
            yield
    else:
        with redis.Redis.from_url(server.url) as client:
            if state == "full":
                client.config_set("maxmemory-policy", "noeviction")
                client.config_set("maxmemory", 1)
            else:
                client.replicaof("127.0.0.1", 1)
            try:
                yield
            finally:
                client.config_set("maxmemory", 0)
                client.replicaof("NO", "ONE")
