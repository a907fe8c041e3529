"""The open pages of users, in a Node process; what they show is compared with the database."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.conftest import Desk
from tests.integration.servers.serve import Serve
from tests.support.clients.node_clients import NodeClient
from tests.support.servers.http_client import HttpClient

SCRIPT = Path(__file__).parent / "pages.js"
SECRET = "A secret"  # begins every note of the writers
CUSTOMERS = ("casey", "greta")
PATIENCE = 60  # seconds


class Pages:
    """What is open, and where; a line of `opened` may stand for several tabs."""

    def __init__(self, desk: Desk, server: Serve) -> None:
        self._desk, self._server = desk, server
        self._client = NodeClient(str(SCRIPT), port=server.port)
        self.opened: list[dict[str, Any]] = []

    def __enter__(self) -> "Pages":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.end()

    def open(self, name: str, *, ticket: str | None = None, path: str = "/tickets/", tabs: int = 1) -> None:
        """Register a ticket or list that a user has open, in `tabs` tabs."""
        self.opened.append(
            {
                "number": len(self.opened),
                "name": f"{name}: {path if ticket is None else f'ticket {self._desk.tickets.index(ticket) + 1}'}",
                "person": self._desk.ids[name],
                "cookies": HttpClient(self._server.url, self._desk.sessions[name]).cookies,
                "path": path if ticket is None else f"/tickets/{ticket}/",
                "ticket": ticket,
                "tabs": tabs,
                "secret": SECRET if name in CUSTOMERS else None,
            }
        )

    def load(self) -> None:
        """Load them all."""
        self._client.do("open", people=self.opened)
        self._client.sees("opened", within=PATIENCE)

    def cut(self, share: float) -> None:
        """Cut the sockets of some."""
        self._client.do("cut", share=share)

    def are_live(self) -> bool:
        """Return whether all pages are connected."""
        self._client.do("look")
        return bool(self._client.sees("live", within=PATIENCE)["all"])

    def settle(self) -> list[str]:
        """Change every ticket once more; return how pages differ from the database, unless they agree in time."""
        self._desk.run("end")
        truth, deadline = self._desk.run("truth"), time.monotonic() + PATIENCE
        while (differences := self._differences(truth)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return differences

    def sums(self) -> dict[str, Any]:
        """Return the account of each page, and how the server answered all of them."""
        self._client.do("sum")
        return self._client.sees("sums", within=PATIENCE)

    def _differences(self, truth: dict[str, Any]) -> list[str]:
        self._client.do("show")
        models = self._client.sees("models", within=PATIENCE)["models"]
        return [
            f"{page['name']}: {words}"
            for page, model in ((self.opened[model["number"]], model["tickets"]) for model in models)
            for words in _differences(model, _seen_on(page, truth))
        ]


def _seen_on(page: dict[str, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """Return the expected content: on a list the facts of every ticket of the user's channels."""
    audiences = {uuid: people.get(page["person"]) for uuid, people in truth["access"].items()}
    seen = {uuid: truth["seen"][uuid][audience] for uuid, audience in audiences.items() if audience is not None}
    if page["ticket"] is not None:
        return {page["ticket"]: seen[page["ticket"]]}
    return {uuid: {"facts": ticket["facts"]} for uuid, ticket in seen.items()}


def _differences(model: dict[str, Any], seen: dict[str, Any]) -> Iterator[str]:
    if model.keys() != seen.keys():
        yield f"shows {sorted(model)}, not {sorted(seen)}"
    for uuid in model.keys() & seen.keys():
        for part, wanted in seen[uuid].items():
            if (shown := model[uuid].get(part)) != wanted:
                yield f"shows other {part} of {uuid}: {_difference(shown, wanted)}"


def _difference(shown: Any, wanted: Any) -> str:
    if not isinstance(wanted, list) or not isinstance(shown, list):
        return f"{shown}, not {wanted}"
    first = next((n for n, pair in enumerate(zip(shown, wanted, strict=False)) if pair[0] != pair[1]), None)
    return f"{len(shown)}, not {len(wanted)}; the first that differs is {first}"
