"""Endpoints under /broadcasting/: channel authorization, user authentication and the event history."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import cast

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, JsonResponse
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from limits import RateLimitItem

from realtime import limits, metrics, protocol
from realtime.broadcasting import history
from realtime.channels import auth_signatures, authentication, find
from realtime.http.problems import CsrfProblemMiddleware, problem, problem_errors
from realtime.utils import rate_limits

View = Callable[[HttpRequest], JsonResponse]

PREFIXES = "private-", protocol.PRESENCE
csrf_protect = decorator_from_middleware(CsrfProblemMiddleware)


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
                return problem(403, "not_authenticated", "Authentication required.")
            if not rate_limits.allowed(rate, view.__name__, str(request.user.pk)):
                response = problem(429, "throttled", "Too many requests. Retry in a minute.")
                response["Retry-After"] = str(rate.get_expiry())
                return response
            return view(request)

        with_csrf = csrf_protect(checked)

        @csrf_exempt
        @wraps(view)
        def authenticate(request: HttpRequest) -> JsonResponse:
            credentials = authentication.from_request(request)
            if credentials.token is None:
                return cast(JsonResponse, with_csrf(request))
            request.user = credentials.load_user() or AnonymousUser()  # type: ignore[assignment]
            return checked(request)

        return authenticate

    return decorate


@problem_errors
@require_POST
@never_cache
@require_user(limits.AUTH_RATE)
def authorize_channel(request: HttpRequest) -> JsonResponse:
    """Sign a socket's subscription to a channel (Pusher: "Authorizing users")."""
    socket_id, channel = request.POST.get("socket_id", ""), request.POST.get("channel_name", "")
    if not protocol.SOCKET_ID.fullmatch(socket_id):
        return invalid_socket_id()
    if find(channel) is None:
        return invalid_channels([channel])
    signed = auth_signatures.sign_subscription(
        _user(request), authentication.from_request(request), socket_id, channel
    )
    return JsonResponse(signed) if signed is not None else refused_channels([channel])


@problem_errors
@require_POST
@never_cache
@require_user(limits.AUTH_RATE)
def authenticate_user(request: HttpRequest) -> JsonResponse:
    """Sign the user's sign-in on a socket (Pusher: "Authenticating users")."""
    socket_id = request.POST.get("socket_id", "")
    if not protocol.SOCKET_ID.fullmatch(socket_id):
        return invalid_socket_id()
    return JsonResponse(auth_signatures.sign_user(_user(request), authentication.from_request(request), socket_id))


@problem_errors
@require_safe
@never_cache
@require_user(limits.HISTORY_RATE)
def show_history(request: HttpRequest) -> JsonResponse:
    """Return {events, cursor, reset}: the events after the cursor `since` on up to 20 channels."""
    channels = list(dict.fromkeys(request.GET.getlist("channel")))
    if not 1 <= len(channels) <= limits.MAX_HISTORY_CHANNELS:
        return problem(400, "invalid_channel", f"Name 1 to {limits.MAX_HISTORY_CHANNELS} channels.")
    if unknown := [channel for channel in channels if find(channel) is None]:
        return invalid_channels(unknown)
    try:
        page = history.read(request.user, channels, request.GET.get("since"))
    except history.InvalidCursor:
        return problem(400, "invalid_cursor", "`since` is not a cursor of this site. Without it you get a new one.")
    except history.RefusedChannels as error:
        return refused_channels(error.args)
    metrics.history_responses.labels("reset" if page.reset else "events" if page.events else "empty").inc()
    return JsonResponse({"events": page.events, "cursor": page.cursor, "reset": page.reset})


def invalid_socket_id() -> JsonResponse:
    """Return the problem of a `socket_id` of another form."""
    return problem(400, "invalid_socket_id", "`socket_id` must be two numbers joined by a dot.")


def invalid_channels(names: Sequence[str]) -> JsonResponse:
    """Return the problem of names that no channel of this site has; a forgotten prefix is named."""
    meant = [prefix + name for name in names for prefix in PREFIXES if find(prefix + name) is not None]
    hint = f" Did you mean {' or '.join(meant)}?" if meant else ""
    return problem(400, "invalid_channel", f"There is no channel of this name.{hint}", refused=list(names))


def refused_channels(names: Sequence[str]) -> JsonResponse:
    """Return the problem of channels that refuse the user."""
    return problem(403, "permission_denied", "You may not subscribe to these channels.", refused=list(names))


def _user(request: HttpRequest) -> AbstractBaseUser:
    return cast(AbstractBaseUser, request.user)
