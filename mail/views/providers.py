"""The addresses to which mail providers post received messages."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt


# Providers post without a cookie or token; the secret in the address is the permission.
@csrf_exempt
def receive(request: HttpRequest, provider: str, address: str = "") -> HttpResponse:
    """Store the messages that a provider posts for a mailbox."""
    if not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    from mail.inbound.providers import VIEWS  # loads django-anymail, an extra

    if provider not in VIEWS or (provider == "mailgun" and not settings.ANYMAIL["MAILGUN_WEBHOOK_SIGNING_KEY"]):
        raise Http404
    return VIEWS[provider].as_view()(request, address=address)  # type: ignore[no-any-return]
