"""What `manage.py check` says of the settings of `realtime`."""

from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from realtime.conf import config
from realtime.webhooks.config import network, parse_webhook


def check_webhooks(**_: Any) -> list[CheckMessage]:
    """Find addresses and networks that are none: at work they would only be missed."""
    try:
        settings = config()
        for value in settings.webhooks:
            parse_webhook(value)
        for text in settings.webhook_networks:
            network(text)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="realtime.E001")]
    return []
