"""Channels as its tutorial has it: a consumer for each socket, and the groups of the layer on Redis' pub/sub."""

import os
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

LAYER = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [os.environ["REDIS_URL"]]}}
settings.configure(CHANNEL_LAYERS={"default": LAYER})


class Listener(AsyncWebsocketConsumer):
    """Hears one group."""

    async def connect(self) -> None:
        """Join the group that the address names."""
        self.group = "fanout-{}".format(parse_qs(self.scope["query_string"])[b"channel"][0].decode())
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave it."""
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def tell(self, event: dict[str, str]) -> None:
        """Pass on what the group is told."""
        await self.send(text_data=event["text"])


application = Listener.as_asgi()
