"""Who signs out at the OpenID Connect provider is signed out here, pages and sockets alike."""

import re
from collections.abc import Iterator

import pytest
import requests

from accounts.models import User
from tests.support.clients.socket_client import Credentials, RemoteSocket
from tests.support.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    identity_provider,
    sign_in_at,
    sign_out_at,
    way_to,
)
from tests.support.servers import instances
from tests.support.sockets import do


@pytest.fixture(scope="module")
def provider_and_site(environment: dict[str, str]) -> Iterator[tuple[IdentityProvider, instances.Server]]:
    port = instances.free_port()
    with identity_provider(f"http://127.0.0.1:{port}") as provider:
        names = ("SECRET_KEY", "REDIS_PREFIX")
        env = {
            **{name: environment[name] for name in names},
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }
        urls = {"database_url": environment["DATABASE_URL"], "redis_url": environment["REDIS_URL"]}
        with instances.server("uvicorn", port=port, env=env, **urls) as site:
            yield provider, site


def sign_in(provider: IdentityProvider, site: instances.Server, at_provider: requests.Session) -> requests.Session:
    """Return a browser in which Nora came back from the provider."""
    browser = requests.Session()
    page = browser.get(f"{site.url}/login/", timeout=60).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    form = {"csrfmiddlewaretoken": token}
    start = way_to(browser.post(f"{site.url}/sso/login/", form, timeout=60))
    browser.get(sign_in_at(provider, start, "nora", at_provider), timeout=60)
    return browser


@pytest.mark.django_db(transaction=True)
async def test_sign_out_at_the_provider_closes_that_browsers_sockets(
    provider_and_site: tuple[IdentityProvider, instances.Server],
) -> None:
    provider, site = provider_and_site
    await do(lambda: provider.set_people(nora={"email": "nora@example.com", "email_verified": True, "name": "Nora"}))
    devices = [requests.Session(), requests.Session()]
    browsers = [await do(sign_in, provider, site, device) for device in devices]
    nora = await do(User.objects.get, email="nora@example.com")
    sockets = [
        RemoteSocket(site, Credentials(cookie=f"sessionid={browser.cookies['sessionid']}")) for browser in browsers
    ]
    for socket in sockets:
        await socket.open([nora.channel])
    await do(sign_out_at, provider, devices[0])
    _, closed = await sockets[0].until("closed")
    assert closed["data"]["code"] == 4009
    await sockets[1].barrier()
    assert [await do(is_in, site, browser) for browser in browsers] == [False, True]
    await sockets[1].close()


def is_in(site: instances.Server, browser: requests.Session) -> bool:
    return browser.get(f"{site.url}/profile/", allow_redirects=False, timeout=60).status_code == 200
