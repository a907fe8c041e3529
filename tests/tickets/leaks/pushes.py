"""A push service in memory, which reads what it receives as the browsers would."""

from tests.support.servers.push_service import ADDRESS, BrowserKeys

KEYS = BrowserKeys()


def subscription(name: str) -> dict[str, str]:
    """Return what the browser of a person sends to subscribe."""
    return {"endpoint": f"{ADDRESS}{name}", **KEYS.values}


class PushService:
    """Takes the place of `sending._post`."""

    def __init__(self) -> None:
        self.received: dict[str, list[str]] = {}

    async def post(self, endpoint: str, body: bytes, headers: dict[str, str]) -> int:
        """Store a message, and answer as push services do."""
        self.received.setdefault(endpoint.removeprefix(ADDRESS), []).append(KEYS.decrypted(body))
        return 201


service = PushService()
