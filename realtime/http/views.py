"""The addresses under /broadcasting/: channel authorisation for Pusher clients, and the history."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST
from limits import RateLimitItem

from realtime import limits, protocol
from realtime.broadcasting import history
from realtime.channels import NAME, auth_signatures, authentication
from realtime.utils import rate_limits


def problem(status: int, detail: str, **more: Any) -> JsonResponse:
    """Return an error that a program can read and a person can understand."""
    return JsonResponse({"status": status, "detail": detail, **more}, status=status)


View = Callable[[HttpRequest], JsonResponse]


def signed_in(rate: RateLimitItem) -> Callable[[View], View]:
    """Decorate a view that answers JSON to signed-in people, each at most at `rate`.

    They come with the session of a page, and then with its CSRF token, or with a bearer token (RFC 6750).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest) -> JsonResponse:
            if not request.user.is_authenticated:
                return problem(403, "Sign in first.")
            if not rate_limits.allowed(rate, view.__name__, str(request.user.pk)):
                response = problem(429, "Too many requests; try again in a minute.")
                response["Retry-After"] = str(rate.get_expiry())
                return response
            return view(request)

        from_page = csrf_protect(checked)

        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest) -> JsonResponse:
            who = authentication.of_request(request)
            if who.token is None:
                return from_page(request)
            request.user = who.person() or AnonymousUser()  # type: ignore[assignment]
            return checked(request)

        return answer

    return decorate


@require_POST
@never_cache
@signed_in(limits.AUTH_RATE)
def authorize_channel(request: HttpRequest) -> JsonResponse:
    """Sign one socket's subscription to one channel (Pusher: "Authorizing users")."""
    socket_id, channel = request.POST.get("socket_id", ""), request.POST.get("channel_name", "")
    if not protocol.SOCKET_ID.fullmatch(socket_id):
        return problem(400, "socket_id is two numbers joined by a dot.")
    if not NAME.fullmatch(channel):
        return problem(400, "channel_name is not a channel's name.")
    signed = auth_signatures.sign_subscription(_user(request), authentication.of_request(request), socket_id, channel)
    return problem(403, "You may not hear this channel.") if signed is None else JsonResponse(signed)


@require_POST
@never_cache
@signed_in(limits.AUTH_RATE)
def authenticate_user(request: HttpRequest) -> JsonResponse:
    """Sign the person in on one socket (Pusher: "Authenticating users")."""
    socket_id = request.POST.get("socket_id", "")
    if not protocol.SOCKET_ID.fullmatch(socket_id):
        return problem(400, "socket_id is two numbers joined by a dot.")
    return JsonResponse(auth_signatures.sign_user(_user(request), authentication.of_request(request), socket_id))


def _user(request: HttpRequest) -> AbstractBaseUser:
    return cast(AbstractBaseUser, request.user)


@require_GET
@never_cache
@signed_in(limits.HISTORY_RATE)
def replay(request: HttpRequest) -> JsonResponse:
    """Answer {events, cursor, reset}: what the person missed on up to 20 channels."""
    channels = list(dict.fromkeys(request.GET.getlist("channel")))
    if not 1 <= len(channels) <= limits.MAX_HISTORY_CHANNELS:
        return problem(400, f"Name 1 to {limits.MAX_HISTORY_CHANNELS} channels.")
    try:
        answer = history.read(request.user, channels, request.GET.get("since"))
    except history.RefusedChannels as error:
        return problem(403, "You may not hear some of these channels.", refused=list(error.args))
    return JsonResponse({"events": answer.events, "cursor": answer.cursor, "reset": answer.reset})
