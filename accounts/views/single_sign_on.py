"""Sign-in through the OpenID Connect provider of the settings, and its notices that a session has ended.

allauth's views and the libraries below are loaded by the first request that needs them.
"""

from allauth.core import ratelimit
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


def provider_name() -> str:
    """Return how the sign-in page names the provider; empty without one."""
    return str(settings.OIDC.get("name", ""))


@require_POST
def sign_in(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider by a page: the form's policy would have to allow each redirection that follows one."""
    answer = _answer("login", request, provider_id)
    address = answer.get("Location", "/")
    if address.startswith("/"):  # an error, shown on our own page
        return answer
    page = render(request, "account/to_provider.html", {"url": address, "provider": provider_name()})
    page["Refresh"] = f"0; url={address}"
    return page


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in who comes back from the provider."""
    return _answer("callback", request, provider_id)


# The provider posts without a cookie; its signature is the permission.
@csrf_exempt
@never_cache
@require_POST
def back_channel_logout(request: HttpRequest) -> HttpResponse:
    """End the sessions that the provider's `logout_token` names; 400 if it is not valid."""
    if not settings.OIDC:
        raise Http404
    from accounts.sign_in import back_channel_logout

    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="oidc_logout")
    if limited is not None:
        return limited
    try:
        back_channel_logout.end_sessions(request.POST.get("logout_token", ""))
    except back_channel_logout.InvalidLogoutToken as error:
        return JsonResponse({"error": "invalid_request", "error_description": str(error)}, status=400)
    return HttpResponse()


def _answer(view: str, request: HttpRequest, provider_id: str) -> HttpResponse:
    """Return allauth's answer, or lead back to the sign-in page if the provider cannot be reached."""
    if not settings.OIDC:
        raise Http404
    import requests
    from allauth.socialaccount.providers.openid_connect import views

    from accounts.sign_in import openid_connect

    try:
        answer: HttpResponse = getattr(views, view)(request, provider_id)
    except requests.RequestException as error:
        return openid_connect.failed(request, error)
    return answer
