"""The JSON parser of the API: strict, with a size limit."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework import renderers
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_BODY = 1024**2  # bytes; the longest message takes at most 600 KB with every character escaped


class TooLarge(APIException):  # type: ignore[misc]
    """The body is larger than MAX_BODY."""

    status_code = 413
    default_detail = _("The JSON body exceeds 1 MB.")
    default_code = "too_large"


class BoundedJSON(BaseParser):  # type: ignore[misc]
    """JSON (RFC 8259) of at most `MAX_BODY` bytes."""

    media_type = "application/json"
    renderer_class = renderers.JSONRenderer

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed body, reading at most MAX_BODY bytes."""
        text = stream.read(MAX_BODY + 1)
        if len(text) > MAX_BODY:
            raise TooLarge
        try:
            return json.loads(text.decode(), parse_constant=_refuse, object_pairs_hook=_object)
        except (ValueError, RecursionError):
            raise ParseError(_("The body is not valid JSON.")) from None


def _refuse(name: str) -> None:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Names with a lone surrogate are refused here: no response could repeat them."""
    if not all(is_encodable(name) for name, _value in pairs):
        raise ValidationError(_("A field name contains an incomplete character."), "surrogate_characters_not_allowed")
    return dict(pairs)


def is_encodable(text: str) -> bool:
    """Return whether `text` has no lone surrogate, which UTF-8 cannot encode."""
    return text.isascii() or not LONE_SURROGATE.search(text)
