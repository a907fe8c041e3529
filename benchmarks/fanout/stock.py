"""Channels as in its tutorial: one consumer per socket, and the groups of the pub/sub layer on Redis."""

import os
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

LAYER = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [os.environ["REDIS_URL"]]}}
settings.configure(CHANNEL_LAYERS={"default": LAYER})


class Subscriber(AsyncWebsocketConsumer):
    """Subscribes to one group."""

    async def connect(self) -> None:
        """Join the group named in the URL."""
        self.group = "fanout-{}".format(parse_qs(self.scope["query_string"])[b"channel"][0].decode())
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def broadcast(self, event: dict[str, str]) -> None:
        """Forward a message of the group."""
        await self.send(text_data=event["text"])


application = Subscriber.as_asgi()
