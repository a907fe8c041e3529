"""Addresses that browsers and crawlers ask for by themselves."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

VALIDITY = timedelta(days=180)  # of the security contact, which must be renewed within a year
ROBOTS = "User-agent: *\nDisallow: /\n"


@require_safe
@cache_control(public=True, max_age=86400)
def icon(request: HttpRequest) -> HttpResponse:
    """Redirect to the site's icon."""
    return redirect(static("img/mark.svg"))


@require_safe
@cache_control(public=True, max_age=86400)
def robots(request: HttpRequest) -> HttpResponse:
    """Ask crawlers to stay away: everything needs a sign-in (RFC 9309)."""
    return HttpResponse(ROBOTS, content_type="text/plain")


@require_safe
@cache_control(public=True, max_age=86400)
def security_contact(request: HttpRequest) -> HttpResponse:
    """Say where vulnerabilities are reported (RFC 9116): by default in a ticket."""
    site = settings.SITE_URL or request.build_absolute_uri("/").rstrip("/")
    lines = {
        "Contact": settings.SECURITY_CONTACT or f"{site}{reverse('tickets:new')}",
        "Expires": (timezone.now() + VALIDITY).strftime("%Y-%m-%dT00:00:00Z"),
        "Preferred-Languages": ", ".join(code for code, _name in settings.LANGUAGES),
        "Canonical": f"{site}{request.path}",
    }
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
def change_password(request: HttpRequest) -> HttpResponse:
    """Redirect password managers to the right page (W3C: "A Well-Known URL for Changing Passwords")."""
    return redirect("account_change_password")
