"""What a browser asks for and sends to receive push messages."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.types import AuthenticatedRequest
from tickets.models import Notification, PushSubscription
from tickets.notifications.push import keys

WORKER: Final = Path(settings.BASE_DIR) / "static" / "js" / "service-worker.js"
MAX_BROWSERS: Final = 20  # of a person


class SubscriptionForm(forms.Form):
    """A browser's address at its push service, and its keys."""

    endpoint = forms.URLField(max_length=1000, assume_scheme="https")
    p256dh = forms.RegexField(r"^[\w-]{80,100}$")
    auth = forms.RegexField(r"^[\w-]{16,40}$")

    def clean_endpoint(self) -> str:
        """Return the address: push services use https and no port or name of their own."""
        endpoint: str = self.cleaned_data["endpoint"]
        parts = urlsplit(endpoint)
        if parts.scheme != "https" or parts.username or parts.port not in (None, 443):
            raise forms.ValidationError("https")
        return endpoint


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """Return the service worker, at the root of the site, since it opens any of its pages."""
    return HttpResponse(WORKER.read_text(), content_type="text/javascript")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@cache_control(private=True, no_store=True)
def subscription(request: AuthenticatedRequest) -> HttpResponse:
    """Return the site's public key, or store a browser of the user, which ends with their session."""
    if request.method != "POST":
        return JsonResponse({"key": keys.public_key()})
    form = SubscriptionForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    values = {**form.cleaned_data, "user": request.user, "session_key": request.session.session_key}
    PushSubscription.objects.update_or_create(endpoint=values.pop("endpoint"), defaults=values)
    others = PushSubscription.objects.filter(user=request.user).order_by("-pk").values_list("pk", flat=True)
    PushSubscription.objects.filter(pk__in=list(others[MAX_BROWSERS:])).delete()
    return HttpResponse(status=204)


@require_POST
@login_required
def shown(request: AuthenticatedRequest) -> HttpResponse:
    """Record that a page has shown the latest notification of the ticket `ticket`: no push message is sent."""
    form = ShownForm(request.POST)
    if form.is_valid():
        unseen = Notification.objects.filter(user=request.user, shown_at=None)
        unseen.filter(ticket__uuid=form.cleaned_data["ticket"]).update(shown_at=timezone.now())
    return HttpResponse(status=204)


class ShownForm(forms.Form):
    """The ticket of a notification that was shown."""

    ticket = forms.UUIDField()
