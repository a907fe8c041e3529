"""HTTP requests of a signed-in browser to a running server."""

import json
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings

CSRF = "0123456789abcdef0123456789abcdef"  # Django asks that cookie and header agree


@dataclass(frozen=True)
class HttpClient:
    """Knows the server's address and brings their session's cookie."""

    url: str
    session: str

    @property
    def cookies(self) -> str:
        return f"{self.session}; {settings.CSRF_COOKIE_NAME}={CSRF}"

    def post(self, path: str, **fields: object) -> object:
        """Send a form as a page's script does, and return what the server answers."""
        headers = {"Cookie": self.cookies, "X-CSRFToken": CSRF, "Accept": "application/json"}
        request = Request(self.url + path, urlencode(fields).encode(), headers)
        with urlopen(request, timeout=60) as response:
            return None if response.status == HTTPStatus.NO_CONTENT else json.load(response)

    def submit(self, path: str, **fields: object) -> None:
        """Send a form as a browser does without scripts; it is accepted, and leads to another page."""
        self._is_led_on("POST", path, urlencode(fields, doseq=True))

    def follow(self, path: str) -> None:
        """Follow a link that leads on to another page."""
        self._is_led_on("GET", path)

    def _is_led_on(self, method: str, path: str, body: str | None = None) -> None:
        headers = {"Cookie": self.cookies, "X-CSRFToken": CSRF, "Content-Type": "application/x-www-form-urlencoded"}
        with closing(HTTPConnection(self.url.removeprefix("http://"), timeout=60)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            assert response.status == HTTPStatus.FOUND, response.read().decode()
            assert "next=" not in response.headers["Location"], "Who is signed out is asked to sign in."

    def reply(self, ticket: str, message: str, **fields: object) -> object:
        """Answer the ticket with this uuid."""
        return self.post(f"/tickets/{ticket}/replies/", message=message, **fields)
