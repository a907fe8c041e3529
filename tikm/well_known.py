"""Addresses that browsers and crawlers ask for by themselves."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

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
def change_password(request: HttpRequest) -> HttpResponse:
    """Redirect password managers to the right page (W3C: "A Well-Known URL for Changing Passwords")."""
    return redirect("account_change_password")
