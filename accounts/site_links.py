"""The address of the site in links of mails: SITE_URL, or the host of the request without its port."""

from typing import Any

from allauth.core import context as allauth_context
from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port


def site_url(request: HttpRequest | None) -> str:
    """Return scheme and host of the site, without a slash at the end; "" without SITE_URL and request."""
    if settings.SITE_URL:
        return str(settings.SITE_URL)
    if request is None:
        return ""
    # ALLOWED_HOSTS checks the name of a Host header and ignores its port.
    host = request.get_host() if settings.DEBUG else split_domain_port(request.get_host())[0]
    return f"{request.scheme}://{host}"


def with_site_url(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values for a mail, with their links (`..._url`) at the address of the site."""
    request = allauth_context.request
    if request is None:
        return values
    ours, theirs = site_url(request), f"{request.scheme}://{request.get_host()}"
    links = {name: url for name, url in values.items() if name.endswith("_url") and isinstance(url, str)}
    return values | {name: ours + url.removeprefix(theirs) for name, url in links.items() if url.startswith(theirs)}
