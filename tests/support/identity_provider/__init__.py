"""An OpenID Connect provider on loopback, and people who sign in at it."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from accounts.sign_in.back_channel_logout import EVENT
from tests.support.servers.instances import TOP, Instance

CLIENT_ID, CLIENT_SECRET = "desk", "a-secret-of-the-desk-and-its-provider"


class IdentityProvider(Instance):
    """A provider whose only client is a site at the address `site`."""

    def __init__(self, directory: Path, site: str) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key = {**jwt.algorithms.RSAAlgorithm.to_jwk(self.key, as_dict=True), "kid": "1", "alg": "RS256", "use": "sig"}
        client = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [f"{site}/sso/callback/"],
            "backchannel_logout_uri": f"{site}/sso/logout/",
            "backchannel_logout_session_required": True,
        }
        given = json.dumps({"client": client, "people": {}, "key": key})
        program = str(Path(__file__).with_name("provider.js"))
        super().__init__(["node", program, given], directory, **{"cwd": TOP})

    def answers(self) -> bool:
        return self.issuer != ""

    @property
    def issuer(self) -> str:
        found = re.search(r"^http://127.0.0.1:\d+$", self.log.read_text(), re.MULTILINE)
        return found[0] if found else ""

    def set_people(self, **people: dict[str, Any]) -> None:
        """Replace the people: claims by `sub`."""
        requests.put(f"{self.issuer}/people", json=people, timeout=60).raise_for_status()

    def logout_token(self, *, key: Any = None, without: tuple[str, ...] = (), **claims: Any) -> str:
        """Return a logout token, signed by the provider's key or by another."""
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": uuid4().hex,
            "events": {EVENT: {}},
        }
        found = {name: value for name, value in (usual | claims).items() if name not in without}
        return jwt.encode(found, key or self.key, algorithm="RS256", headers={"kid": "1", "typ": "logout+jwt"})


@contextmanager
def identity_provider(site: str) -> Iterator[IdentityProvider]:
    """Run a provider for a site while the block runs."""
    with TemporaryDirectory() as directory, IdentityProvider(Path(directory), site) as provider:
        yield provider


def way_to(page: Any) -> str:
    """Return the address of the provider that a page of the site leads to, by itself and by its button."""
    address = str(page.headers["Refresh"]).removeprefix("0; url=")
    assert f'href="{escape(address)}"' in page.text
    return address


def sign_in_at(provider: IdentityProvider, address: str, who: str, session: requests.Session | None = None) -> str:
    """Sign `who` in at the provider, from where the site led to, and return where the provider leads back."""
    session = session or requests.Session()
    answer = session.get(address, allow_redirects=False, timeout=60)
    while True:
        if (target := answer.headers.get("Location")) is not None:
            target = urljoin(answer.url, target)
            if not target.startswith(provider.issuer):
                return target
            answer = session.get(target, allow_redirects=False, timeout=60)
        else:
            answer.raise_for_status()
            form = unescape(re.search(r'<form[^>]* action="([^"]+)"', answer.text)[1])
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)[1]
            fields = {"prompt": prompt, "login": who, "password": "any"}
            answer = session.post(urljoin(answer.url, form), data=fields, allow_redirects=False, timeout=60)


def sign_out_at(provider: IdentityProvider, session: requests.Session) -> None:
    """Sign out at the provider, which posts a logout token to the site."""
    page = session.get(f"{provider.issuer}/session/end", timeout=60)
    form = re.search(r'<form[^>]* action="([^"]+)"', page.text)[1]
    xsrf = re.search(r'name="xsrf" value="(\w+)"', page.text)[1]
    answer = session.post(urljoin(page.url, unescape(form)), data={"xsrf": xsrf, "logout": "yes"}, timeout=60)
    answer.raise_for_status()
