"""All steps in order: from the database to a page's socket, then those of the project."""

from collections.abc import Iterator
from functools import partial

from realtime.conf import config
from realtime.doctor import databases, page_steps, publish_steps, redis_servers, socket_steps, steps
from realtime.doctor.site import Site
from realtime.doctor.walk import PathStep, Walk


def all_steps() -> Iterator[PathStep]:
    """Yield the steps."""
    yield PathStep("database", lambda _: databases.check())
    yield PathStep("redis", lambda _: redis_servers.check())
    yield PathStep("address", page_steps.check_address)
    yield PathStep("tls", page_steps.check_tls, ["address"])
    # TLS is untested without HTTPS, so that it is not needed: a certificate at fault fails these by itself.
    yield PathStep("server", page_steps.check_server, ["address"])
    yield PathStep("clocks", page_steps.check_clocks, ["database", "server"])
    yield PathStep("static files", page_steps.check_static_files, ["server"])
    yield PathStep("cookies", page_steps.check_cookies, ["database", "server"])
    yield PathStep("forms", page_steps.check_csrf, ["database", "server"])
    yield PathStep("session", page_steps.check_session, ["forms"])
    yield PathStep("upgrade", socket_steps.check_upgrade, ["server"])
    yield PathStep("origin", socket_steps.check_key_and_origin, ["upgrade"])
    yield PathStep("subscription", socket_steps.check_subscription, ["session", "origin"])
    yield PathStep("processes", publish_steps.check_processes, ["subscription", "redis"])
    yield PathStep("event log", publish_steps.check_log, ["subscription"])
    yield PathStep("log tailer", publish_steps.check_tailer, ["subscription"])
    yield PathStep("channel layer", publish_steps.check_layer, ["subscription", "redis"])
    yield PathStep("HTTP API", publish_steps.check_http_api, ["subscription"])
    yield PathStep("silence", socket_steps.check_idle, ["origin"])
    for each in steps.of_project():
        yield PathStep(each.name, partial(_check, each))


def sockets_at(site: Site) -> Site | None:
    """Return where pages of `site` open their sockets, if REALTIME_HOST, PORT or SCHEME name another place."""
    found = config()
    if not (found.host or found.port or found.scheme):
        return None
    scheme, host, port = found.scheme or site.scheme, found.host or site.host, found.port
    return Site.at(f"{scheme}://{host}{f':{port}' if port else ''}")


def _check(step: steps.Step, _: Walk) -> str:
    return step.check()
