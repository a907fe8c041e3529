"""The address of the site in links of mails: SITE_URL, or the host of the request without its port."""

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
