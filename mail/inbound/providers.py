"""Messages that mail providers post to us, as they came.

django-anymail checks that the provider sent the request. It is loaded here only: it is an extra. The message is read
from the request itself: anymail would hand it over parsed, and decoded by rules that are not ours.
"""

import base64
import binascii
import json
from abc import abstractmethod
from collections.abc import Iterator
from email import policy
from email.parser import BytesParser
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from anymail.webhooks.base import AnymailBasicAuthMixin
from anymail.webhooks.mailgun import MailgunInboundWebhookView
from anymail.webhooks.postmark import PostmarkInboundWebhookView
from anymail.webhooks.sparkpost import SparkPostInboundWebhookView
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, QueryDict

from mail.inbound import mailboxes, storage

if TYPE_CHECKING:  # a mixin for anymail's views
    from anymail.webhooks.base import AnymailCoreWebhookView as _View
else:
    _View = object

MAX_FIELD: Final = 10_000  # bytes of a field beside the message
FORM: Final = "application/x-www-form-urlencoded"


class NoMessage(Exception):
    """The request holds no raw message; the text says what to set at the provider."""


class RawMessages(_View):  # type: ignore[misc]
    """Stores the messages of a request. What cannot be stored now is asked for again: by an answer of 5xx."""

    # The answer after which the provider does not try again.
    final = HTTPStatus.FORBIDDEN

    @abstractmethod
    def raw_messages(self, request: HttpRequest, body: bytes) -> Iterator[bytes]:
        """Yield the messages of a request as they came. Raises NoMessage."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Store the messages of a request that comes from the provider."""
        AnymailBasicAuthMixin.validate_request(self, request)  # before the body is read
        try:
            body = _read(request)
            messages = list(self.raw_messages(request, body))
            self.run_validators(request)
            self._store(messages, kwargs["address"])
        except (storage.TooLarge, mailboxes.NoMailbox) as error:
            return _answer(error, self.final)
        except (NoMessage, DatabaseError) as error:
            return _answer(error, HTTPStatus.SERVICE_UNAVAILABLE)
        return HttpResponse("Stored.", "text/plain")

    def _store(self, messages: list[bytes], address: str) -> None:
        mailbox, too_large = mailboxes.find(address), None
        for raw in messages:
            try:
                storage.store(raw, mailbox)
            except storage.TooLarge as error:  # the others are stored nevertheless
                too_large = error
        if too_large:
            raise too_large


class Mailgun(RawMessages, MailgunInboundWebhookView):  # type: ignore[misc]
    """A route with forward(".../mime"): form fields with a signature."""

    final = HTTPStatus.NOT_ACCEPTABLE

    def raw_messages(self, request: HttpRequest, body: bytes) -> Iterator[bytes]:
        fields = _form(request, body)
        # For the signature. Django's own reading of a form refuses fields as long as a message.
        request.POST = _short_fields(fields)  # type: ignore[assignment]
        if not fields.get("body-mime"):
            raise NoMessage('body-mime is missing: let the address of the route end in "/mime".')
        yield fields["body-mime"]


class Postmark(RawMessages, PostmarkInboundWebhookView):  # type: ignore[misc]
    """An inbound webhook with "Include raw email content"."""

    def raw_messages(self, request: HttpRequest, body: bytes) -> Iterator[bytes]:
        found = _json(body)
        raw = found.get("RawEmail") if isinstance(found, dict) else None
        if not raw or not isinstance(raw, str):
            raise NoMessage('RawEmail is missing: turn on "Include raw email content in JSON payload".')
        yield raw.encode("utf-8", "surrogateescape")


class SparkPost(RawMessages, SparkPostInboundWebhookView):  # type: ignore[misc]
    """A relay webhook: several messages in a request."""

    def raw_messages(self, request: HttpRequest, body: bytes) -> Iterator[bytes]:
        events = _json(body)
        for event in events if isinstance(events, list) else []:
            try:
                content = event["msys"]["relay_message"]["content"]
                raw = content["email_rfc822"].encode("utf-8", "surrogateescape")
                yield base64.b64decode(raw) if content["email_rfc822_is_base64"] else raw
            except (KeyError, TypeError, AttributeError, binascii.Error):
                raise NoMessage("email_rfc822 is missing: this address is for relay webhooks.") from None


VIEWS: Final = {"mailgun": Mailgun, "postmark": Postmark, "sparkpost": SparkPost}


def _read(request: HttpRequest) -> bytes:
    """Return the body, which is longer than its messages by their encoding. Raises storage.TooLarge."""
    limit = 2 * settings.MAIL_MAX_BYTES + 64 * 1024
    body = request.read(limit + 1)
    if len(body) > limit:
        raise storage.TooLarge
    return body


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise NoMessage("This is not JSON.") from None


def _form(request: HttpRequest, body: bytes) -> dict[str, bytes]:
    """Return the fields of a form as they came: the messages in them are not all of one charset."""
    if request.content_type == FORM:
        pairs = parse_qsl(body.decode("ascii", "replace"), encoding="latin-1")
        return {name: value.encode("latin-1") for name, value in pairs}
    head = b"Content-Type: " + request.headers.get("Content-Type", "").encode("latin-1", "replace") + b"\r\n\r\n"
    parts: Any = BytesParser(policy=policy.compat32).parsebytes(head + body).get_payload()
    found = {}
    for part in parts if isinstance(parts, list) else []:
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content
    return found


def _short_fields(fields: dict[str, bytes]) -> QueryDict:
    short = QueryDict(mutable=True)
    short.update({name: value.decode("utf-8", "replace") for name, value in fields.items() if len(value) < MAX_FIELD})
    return short


def _answer(error: Exception, status: HTTPStatus) -> HttpResponse:
    """Return why nothing was stored, for the provider's log."""
    sentences = {
        storage.TooLarge: f"The message is larger than MAIL_MAX_BYTES ({settings.MAIL_MAX_BYTES}).",
        mailboxes.NoMailbox: "There is no such active mailbox.",
        NoMessage: str(error),
    }
    return HttpResponse(sentences.get(type(error), "Try again later."), "text/plain", status=status)
