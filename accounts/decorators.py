"""View decorators."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import AuthenticationFailed

from accounts.api.authentication import BearerAuthentication
from realtime.http.problems import problem

View = Callable[..., HttpResponseBase]


def login_or_token_required(view: View) -> View:
    """Decorate a GET view whose URL events carry: their readers may be programs with an API token."""
    for_session = login_required(view)

    @wraps(view)
    def authenticate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        bearer = BearerAuthentication()
        try:
            found = bearer.authenticate(request)
        except AuthenticationFailed as error:
            refused = problem(401, "authentication_failed", str(error.detail))
            refused["WWW-Authenticate"] = bearer.authenticate_header(request)
            return refused
        if found is None:
            response = for_session(request, *args, **kwargs)
        else:
            request.user = found[0]
            response = view(request, *args, **kwargs)
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response

    return authenticate
