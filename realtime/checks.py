"""System checks of settings.REALTIME."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from realtime.conf import config


def check_settings(**_: Any) -> list[CheckMessage]:
    """Report invalid webhooks, networks and proxies, which would otherwise only fail in production."""
    return [Error(text, id="realtime.E001") for text in _problems()]


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
