"""Pages of Django's admin that ask for the password again, unless it was entered within a few minutes."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

# By the names of their URLs, so that a page added later is covered: people, offices, tokens, second steps.
PREFIXES = ("accounts_", "mfa_", "auth_user_")
# Their forms hold passwords, which must not wait in the session: the page asks before it is shown.
WITH_PASSWORDS = ("accounts_user_add", "auth_user_password_change")

View = Callable[..., HttpResponse]


def reauthenticated(view: View) -> View:
    """Wrap an admin page so that a change waits until the password is entered again."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        name = (request.resolver_match.url_name if request.resolver_match else "") or ""
        if name in WITH_PASSWORDS:
            _ask(request, keep_form=False)
        elif request.method == "POST" and name.startswith(PREFIXES):
            _ask(request, keep_form=True)
        return view(request, *args, **kwargs)

    return wrapped


def _ask(request: HttpRequest, *, keep_form: bool) -> None:
    if did_recently_reauthenticate(request):
        return
    if keep_form:
        raise ReauthenticationRequired  # allauth carries the request out afterwards
    ways = get_adapter(request).get_reauthentication_methods(request.user)
    raise ImmediateHttpResponse(redirect(f"{ways[0]['url']}?{urlencode({'next': request.get_full_path()})}"))
