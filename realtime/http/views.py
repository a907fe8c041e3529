"""Endpoints under /broadcasting/: channel authorization, user authentication and the event history."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe
from limits import RateLimitItem

from realtime import limits, protocol
from realtime.broadcasting import history
from realtime.channels import NAME, auth_signatures, authentication
from realtime.utils import rate_limits

View = Callable[[HttpRequest], JsonResponse]


def problem(status: int, detail: str, **more: Any) -> JsonResponse:
    """Return an error response, in the form of RFC 9457 without its media type."""
    return JsonResponse({"status": status, "detail": detail, **more}, status=status)


def require_user(rate: RateLimitItem) -> Callable[[View], View]:
    """Decorate a view that needs a user, and limit each user's requests to `rate`.

    The user comes from a bearer token (RFC 6750), or from the session, which requires the CSRF token on a POST.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest) -> JsonResponse:
            if not request.user.is_authenticated:
                # The session middleware would delete the cookie, which may hold the next session by now.
                request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
                return problem(403, "Authentication required.")
            if not rate_limits.allowed(rate, view.__name__, str(request.user.pk)):
                response = problem(429, "Too many requests. Retry in a minute.")
                response["Retry-After"] = str(rate.get_expiry())
                return response
            return view(request)

        with_csrf = csrf_protect(checked)

        @csrf_exempt
        @wraps(view)
        def authenticate(request: HttpRequest) -> JsonResponse:
            credentials = authentication.from_request(request)
            if credentials.token is None:
                return with_csrf(request)
            request.user = credentials.load_user() or AnonymousUser()  # type: ignore[assignment]
            return checked(request)

        return authenticate

    return decorate


@require_POST
@never_cache
@require_user(limits.AUTH_RATE)
def authorize_channel(request: HttpRequest) -> JsonResponse:
    """Sign a socket's subscription to a channel (Pusher: "Authorizing users")."""
    socket_id, channel = request.POST.get("socket_id", ""), request.POST.get("channel_name", "")
    if not protocol.SOCKET_ID.fullmatch(socket_id):
        return problem(400, "`socket_id` must be two numbers joined by a dot.")
    if not NAME.fullmatch(channel):
        return problem(400, "`channel_name` is not a valid channel name.")
    signed = auth_signatures.sign_subscription(
        _user(request), authentication.from_request(request), socket_id, channel
    )
    return problem(403, "You may not subscribe to this channel.") if signed is None else JsonResponse(signed)


@require_POST
@never_cache
@require_user(limits.AUTH_RATE)
def authenticate_user(request: HttpRequest) -> JsonResponse:
    """Sign the user's sign-in on a socket (Pusher: "Authenticating users")."""
    socket_id = request.POST.get("socket_id", "")
    if not protocol.SOCKET_ID.fullmatch(socket_id):
        return problem(400, "`socket_id` must be two numbers joined by a dot.")
    return JsonResponse(auth_signatures.sign_user(_user(request), authentication.from_request(request), socket_id))


@require_safe
@never_cache
@require_user(limits.HISTORY_RATE)
def show_history(request: HttpRequest) -> JsonResponse:
    """Return {events, cursor, reset}: the events after the cursor `since` on up to 20 channels."""
    channels = list(dict.fromkeys(request.GET.getlist("channel")))
    if not 1 <= len(channels) <= limits.MAX_HISTORY_CHANNELS:
        return problem(400, f"Name 1 to {limits.MAX_HISTORY_CHANNELS} channels.")
    try:
        page = history.read(request.user, channels, request.GET.get("since"))
    except history.RefusedChannels as error:
        return problem(403, "You may not subscribe to some of these channels.", refused=list(error.args))
    return JsonResponse({"events": page.events, "cursor": page.cursor, "reset": page.reset})


def _user(request: HttpRequest) -> AbstractBaseUser:
    return cast(AbstractBaseUser, request.user)
