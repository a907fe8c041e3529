"""A broadcasting server for Django and Channels that speaks the Pusher protocol.

What projects use most is here; `realtime.channels` has the patterns `private`, `presence` and `public`. Names are
loaded on first use, because models need Django's app registry.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.broadcasting.ephemeral import broadcast_now, disconnect
    from realtime.broadcasting.events import Event, ForChannel, OnlyAudience, PayloadTooLarge
    from realtime.broadcasting.publish import publish, publish_all, reauthorize
    from realtime.channels import Audience

__all__ = [
    "Audience",
    "Event",
    "ForChannel",
    "OnlyAudience",
    "PayloadTooLarge",
    "broadcast_now",
    "disconnect",
    "publish",
    "publish_all",
    "reauthorize",
]

_MODULES = {
    "Audience": "realtime.channels",
    "Event": "realtime.broadcasting.events",
    "ForChannel": "realtime.broadcasting.events",
    "OnlyAudience": "realtime.broadcasting.events",
    "PayloadTooLarge": "realtime.broadcasting.events",
    "broadcast_now": "realtime.broadcasting.ephemeral",
    "disconnect": "realtime.broadcasting.ephemeral",
    "publish": "realtime.broadcasting.publish",
    "publish_all": "realtime.broadcasting.publish",
    "reauthorize": "realtime.broadcasting.publish",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
