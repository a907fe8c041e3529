"""The generated parts, by the name that pages give them."""

from collections.abc import Mapping

from docs.generate.commands import commands
from docs.generate.events import events
from docs.generate.markdown import Part
from docs.generate.realtime import channels, close_codes_of_the_server, http_api, metrics_for_prometheus
from docs.generate.rest import rest_api
from docs.generate.settings import settings

PARTS: Mapping[str, Part] = {
    "channels": channels,
    "close-codes": close_codes_of_the_server,
    "commands": commands,
    "events": events,
    "http-api": http_api,
    "metrics": metrics_for_prometheus,
    "rest-api": rest_api,
    "settings": settings,
}
