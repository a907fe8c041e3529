"""Send a notification to the browsers of its person: encrypted, by a job, unless a page has shown it meanwhile."""

import asyncio
import base64
import json
import os
from collections.abc import Sequence
from typing import Any, Final

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.contrib.sessions.models import Session
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.html import strip_tags

from accounts.models import User
from realtime.utils.networks import Network
from realtime.webhooks import safe_http
from tickets import policies
from tickets.models import Notification, NotificationKind, PushSubscription
from tickets.notifications import preferences
from tickets.notifications.payloads import SUMMARIES, notification_payload
from tickets.notifications.push import keys

TTL: Final = 24 * 3600  # seconds for which the push service keeps a message
HEADERS: Final = {"Content-Type": "application/octet-stream", "Content-Encoding": "aes128gcm", "TTL": str(TTL)}
GONE: Final = (404, 410)
# Networks that are allowed although they are not public: none, since browsers name the addresses.
NETWORKS: Sequence[Network] = ()


class NotSent(Exception):
    """The push service did not accept the message; try again."""


def subscriptions_for(occurrence: str) -> list[tuple[Notification, PushSubscription]]:
    """Return the notifications of an event that no page has shown, each with a browser to send it to."""
    unseen = Notification.objects.filter(occurrence=occurrence, read_at=None, shown_at=None)
    browsers = PushSubscription.objects.filter(user__in=unseen.values("user"))
    by_user = {notification.user_id: notification for notification in unseen}
    return [(by_user[browser.user_id], browser) for browser in browsers]


def send(notification_id: str, subscription_id: int) -> None:
    """Send a notification to a browser, if its person may still see it and wants it. Raises NotSent."""
    browser = PushSubscription.objects.select_related("user").filter(pk=subscription_id).first()
    if browser is None or not _is_signed_in(browser):
        return
    visible = policies.visible_notifications(browser.user).filter(pk=notification_id, read_at=None, shown_at=None)
    notification = visible.select_related("actor", "reply", "ticket__office", "ticket__creator").first()
    if notification is None or not _is_wanted(browser.user, notification.kind):
        return
    body = _encrypt(browser, _message(browser.user, notification))
    status = asyncio.run(_post(browser.endpoint, body, HEADERS | keys.authorization(browser.endpoint)))
    if status in GONE:
        browser.delete()
    elif not 200 <= status < 300:
        raise NotSent(f"HTTP {status}")


def _is_signed_in(browser: PushSubscription) -> bool:
    return Session.objects.filter(session_key=browser.session_key, expire_date__gt=timezone.now()).exists()


def _is_wanted(user: User, kind: str) -> bool:
    return "desktop" in preferences.alerts_of(user).get(NotificationKind(kind), [])


def _message(user: User, notification: Notification) -> bytes:
    """Return what the browser shows: never the text of a message."""
    data = notification_payload(notification)
    with translation.override(user.language or settings.LANGUAGE_CODE):
        html = render_to_string(
            "tickets/notifications/_notification_text.html", {"kind": notification.kind, "item": data}
        )
    title = " ".join(strip_tags(html).split())
    shown = {"title": title, "body": data["ticket"]["reference"], "url": data["url"], "tag": _tag(data)}
    return json.dumps(shown).encode()


def _tag(data: dict[str, Any]) -> str:
    """Return what the message replaces in the browser: the ticket's earlier messages, if it is about one."""
    ticket: str = data["ticket"]["uuid"]
    return ticket if data["kind"] in SUMMARIES else data["id"]


def _encrypt(browser: PushSubscription, message: bytes) -> bytes:
    """Encrypt for the browser alone (RFC 8291)."""
    return http_ece.encrypt(  # type: ignore[no-any-return]
        message,
        salt=os.urandom(16),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decoded(browser.p256dh),
        auth_secret=_decoded(browser.auth),
        version="aes128gcm",
    )


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def _post(endpoint: str, body: bytes, headers: dict[str, str]) -> int:
    try:
        return await safe_http.post(endpoint, body, headers, networks=NETWORKS)
    except safe_http.RequestFailed as error:
        raise NotSent(str(error)) from error
