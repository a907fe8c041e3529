"""Base classes of the API: language and time zone of the user, caching headers, parameter errors."""

from collections.abc import Collection, Mapping
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.middleware import activate_preferences
from accounts.models import User


class InvalidParameter(APIException):  # type: ignore[misc]
    """A query parameter or header is invalid; `detail` is {name: messages}."""

    status_code = 400
    default_code = "bad_request"

    def __init__(self, errors: Mapping[str, list[str]], place: str = "parameter") -> None:
        super().__init__({name: list(map(str, messages)) for name, messages in errors.items()})
        self.place = place


class ProjectAPIView(APIView):  # type: ignore[misc]
    """An API view in the language and time zone of the user."""

    http_method_names = ["get", "head", "post", "patch", "delete"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Activate the user's language and time zone, as the middleware does for sessions."""
        super().initial(request, *args, **kwargs)
        if isinstance(request.user, User):
            activate_preferences(request._request, request.user)

    def finalize_response(self, request: HttpRequest, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Forbid caching."""
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        return response

    def read(self, serializer: type[Serializer], **context: Any) -> dict[str, Any]:
        """Return the validated request body. Raises ValidationError."""
        reader = serializer(data=self.request.data, context={"request": self.request, **context})
        reader.is_valid(raise_exception=True)
        data: dict[str, Any] = reader.validated_data
        return data


def reject_unknown_parameters(query: QueryDict, *known: str, several: Collection[str] = ()) -> None:
    """Reject unknown, repeated and empty parameters: a misspelt filter would return too much.

    Those named in `several` may be repeated.
    """
    hint = _("Unknown parameter. Known parameters: %(names)s.") % {"names": ", ".join(sorted(known))}
    errors = {name: [hint] for name in query.keys() - set(known)}
    errors |= {
        name: [_("Send exactly one value, or omit the parameter.")]
        for name, values in query.lists()
        if not all(values) or (len(values) > 1 and name not in several)
    }
    if errors:
        raise InvalidParameter(errors)


def serialized_response(
    serializer: type[Serializer],
    data: Any,
    *,
    status: int = 200,
    request: Request | None = None,
    many: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a response with the fields of `serializer` only. `Address` fields need the request."""
    return Response(serializer(data, many=many, context={"request": request}).data, status=status, headers=headers)
