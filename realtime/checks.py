"""System checks of settings.REALTIME."""

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from realtime.conf import config


def check_settings(**_: Any) -> list[CheckMessage]:
    """Report invalid webhooks, networks and proxies, which would otherwise only fail in production."""
    return [Error(text, id="realtime.E001") for text in _problems()] + _shared_layer()


def _shared_layer() -> list[CheckMessage]:
    """Report a Redis layer without its own prefix: projects on one Redis would receive each other's events."""
    layer: dict[str, Any] = settings.CHANNEL_LAYERS.get("default", {})
    if "redis" not in layer.get("BACKEND", "").lower() or layer.get("CONFIG", {}).get("prefix", "asgi") != "asgi":
        return []
    text = (
        'CHANNEL_LAYERS["default"]["CONFIG"] has no "prefix" of its own: other projects on the same Redis server '
        "would receive this project's events, whatever the number of their database."
    )
    hint = f"Set it to a text that differs between installations, such as {config().redis_prefix!r}."
    return [Warning(text, hint=hint, id="realtime.W001")]


def _problems() -> Iterator[str]:
    # Imported here, because every process registers the check, also one that has no webhooks and no clients.
    from realtime.utils.client_address import parse_trusted_proxies
    from realtime.utils.networks import parse_network
    from realtime.webhooks.config import parse_webhook

    parsers: dict[str, Callable[[Any], object]] = {
        "WEBHOOKS": parse_webhook,
        "WEBHOOK_NETWORKS": parse_network,
        "TRUSTED_PROXIES": lambda name: parse_trusted_proxies((name,)),
    }
    for name, parse in parsers.items():
        for value in getattr(config(), name.lower()):
            try:
                parse(value)
            except ImproperlyConfigured as error:
                yield f'REALTIME["{name}"]: {error}'
    if config().webhooks and not config().webhook_queue:
        yield 'REALTIME["WEBHOOK_QUEUE"] is missing: nothing would send the webhooks. See "Webhooks" in its README.'
