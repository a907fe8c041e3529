"""Programs of the cast: clients of the API with a token."""

from typing import Any

from django.test import Client

from accounts.models import User
from accounts.sign_in import tokens

API = "/api/v1"


class ApiClient:
    """A user's API client: requests and responses."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers: dict[str, str] = {}
        if user is not None:
            made, self.token = tokens.issue(user, name="ApiClient", days=30)
            self.id = made.id
            self.headers["Authorization"] = f"Bearer {self.token}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; a header's name is written with underscores."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        path = path.removeprefix("http://testserver")
        address = path if path.startswith("/api/") else f"{API}/{path}"
        options: dict[str, Any] = {} if body is None else {"data": body, "content_type": "application/json"}
        return self.client.generic(method, address, **_encoded(options), headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        """Read."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """Make something."""
        return self.ask("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """Change something."""
        return self.ask("PATCH", path, body, **headers)

    def upload(self, file: Any, **headers: str) -> Any:
        """Send a file."""
        return self.client.post(f"{API}/attachments/", {"file": file}, headers=self.headers | headers)


def _encoded(options: dict[str, Any]) -> dict[str, Any]:
    if "data" in options and not isinstance(options["data"], bytes | str):
        options["data"] = Client()._encode_json(options["data"], "application/json")
    return options
