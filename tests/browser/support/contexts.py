"""Browser contexts that tests use one after the other.

A new context has an empty cache, and its first page a new process: to fetch and compile a hundred scripts again is a
third of what a page costs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser

from tests.browser.support.network import Wire

# What outlives the pages of a context: one that a test has changed so is not used again.
LASTING = ("add_init_script", "grant_permissions", "on", "route", "route_web_socket", "set_offline")
LASTING_TIME = ("install", "pause_at", "set_fixed_time", "set_system_time")


class Seat:
    """A browser context on a network connection of its own."""

    def __init__(self, browser: Browser, port: int, options: dict[str, Any]) -> None:
        self.wire = Wire(port)
        # Nothing moves: what fades in has its colours at once, and nothing is drawn sixty times a second.
        self.context = browser.new_context(base_url=self.wire.url, reduced_motion="reduce", **options)
        # A page that keeps the process of the site, in which the scripts are compiled.
        self.context.new_page().goto("/static/img/mark.svg")
        self.is_changed = False
        for owner, names in ((self.context, LASTING), (self.context.clock, LASTING_TIME)):
            for name in names:
                setattr(owner, name, self._noting(getattr(owner, name)))

    def leave(self) -> None:
        """Close the pages and their connections, and forget who was signed in."""
        for page in self.context.pages[1:]:
            page.close()
        self.wire.cut()
        self.wire.mend()
        self.context.clear_cookies()

    def clear(self) -> None:
        """Forget what earlier pages stored, also while they were closing."""
        session = self.context.new_cdp_session(self.context.pages[0])
        session.send("Storage.clearDataForOrigin", {"origin": self.wire.url, "storageTypes": "all"})
        session.detach()

    def close(self) -> None:
        """End for good."""
        self.wire.close()
        self.context.close()

    def _noting(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def changing(*args: Any, **options: Any) -> Any:
            self.is_changed = True
            return change(*args, **options)

        return changing


class Seats:
    """The seats of a desk; those that are free wait for the next test."""

    def __init__(self) -> None:
        self._free: defaultdict[tuple[Browser, int, str], list[Seat]] = defaultdict(list)

    @contextmanager
    def taken(self, browser: Browser, port: int, options: dict[str, Any]) -> Iterator[Seat]:
        """Yield a seat that knows nothing of earlier tests but static files."""
        free = self._free[browser, port, repr(options)]
        if free:
            seat = free.pop()
            seat.clear()
        else:
            seat = Seat(browser, port, options)
        yield seat
        if seat.is_changed:
            seat.close()
        else:
            seat.leave()
            free.append(seat)

    def close(self) -> None:
        """Close the seats that are free."""
        for free in self._free.values():
            for seat in free:
                seat.close()
