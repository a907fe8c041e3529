"""The channel layer: names of its groups, and the event loop that this process's hub runs on."""

import asyncio
import hashlib
import re

from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer
from django.core.exceptions import ImproperlyConfigured

from realtime.channels import Audience

# No client can name these channels: the number sign is not in Pusher's alphabet. The texts are stored in the event
# log and shared with processes of the previous release.
REAUTHORIZE_CHANNEL = "#recheck"
RELAY_CHANNEL = "#tell"  # codespell:ignore tell

LAYER_NAME = re.compile(r"[a-zA-Z0-9\-_.]{1,99}")  # Channels: valid group names


def group_name(channel: str, audience: Audience) -> str:
    """Return the channel layer's group of the subscribers to `channel` with `audience`."""
    name = f"{audience.value}.{channel}"
    return name if LAYER_NAME.fullmatch(name) else "sha256." + hashlib.sha256(name.encode()).hexdigest()


REAUTHORIZE_GROUP = group_name(REAUTHORIZE_CHANNEL, Audience.STAFF)
RELAY_GROUP = group_name(RELAY_CHANNEL, Audience.STAFF)
PRESENCE_GROUP = group_name("#presence", Audience.STAFF)
ALL_GROUP = group_name("#all", Audience.STAFF)  # batches of messages for many groups
PROCESS_GROUPS = (REAUTHORIZE_GROUP, RELAY_GROUP, PRESENCE_GROUP, ALL_GROUP)  # every server process joins these

_hub_loops: dict[asyncio.AbstractEventLoop, None] = {}  # an ordered set


def default_layer() -> BaseChannelLayer:
    """Return the channel layer of the running process. Raises ImproperlyConfigured if there is none."""
    layer = get_channel_layer()
    if layer is None:
        raise ImproperlyConfigured("CHANNEL_LAYERS has no default layer.")
    return layer


def reaches_every_process() -> bool:
    """Return whether the layer connects processes: the in-memory layer serves one process only."""
    return not isinstance(default_layer(), InMemoryChannelLayer)


def register_hub_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Make `loop` a candidate for `hub_loop`."""
    _hub_loops[loop] = None


def unregister_hub_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Undo `register_hub_loop`."""
    _hub_loops.pop(loop, None)


def hub_loop() -> asyncio.AbstractEventLoop | None:
    """Return the first open loop that a hub of this process runs on; None in a process without sockets."""
    for loop in tuple(_hub_loops):
        if not loop.is_closed():
            return loop
        _hub_loops.pop(loop, None)
    return None
