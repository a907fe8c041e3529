"""The default prefix by which installations that share a Redis server stay apart."""

import hmac
from urllib.parse import parse_qs, urlsplit


def redis_prefix(name: str, *, secret_key: str, redis_url: str, database: str) -> str:
    """Return the default prefix of an installation's keys and channels in Redis: `name` and a digest.

    Redis's pub/sub ignores the number of the database, so a number alone separates nothing. The digest is of what all
    processes of an installation share and two installations do not: SECRET_KEY, the number of the Redis database, and
    the name of the database. Host names are left out, because machines may reach one server by different names.
    """
    parts = urlsplit(redis_url)
    number = parse_qs(parts.query).get("db", [""])[0]
    if not number and parts.scheme != "unix":
        number = parts.path.strip("/")
    described = f"{number or 0}\n{database}".encode()
    return f"{name}-{hmac.new(secret_key.encode(), described, 'sha256').hexdigest()[:12]}"
