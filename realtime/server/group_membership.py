"""Join and leave groups of the channel layer, through the one layer channel of the process."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Collection, Iterable

from channels.layers import BaseChannelLayer

from realtime.broadcasting.messages import Barrier, encode

logger = logging.getLogger(__name__)

LAYER_TIMEOUT = 1  # seconds


class GroupMembership:
    """Joins in one batch for all callers at the same time; `resync` repeats what the layer refused or dropped."""

    def __init__(self, layer: BaseChannelLayer, is_needed: Callable[[str], bool]) -> None:
        self.channel = ""
        self._layer, self._is_needed = layer, is_needed
        self._joined: set[str] = set()
        self._wanted: set[str] = set()
        self._joining: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._barriers: dict[str, asyncio.Event] = {}

    async def open(self) -> None:
        """Create the layer channel; without it the log tailer delivers everything."""
        try:
            self.channel = await self._layer.new_channel()
        except Exception as error:
            logger.warning("layer unavailable error=%r; the log tailer delivers", error)

    async def join(self, groups: Collection[str]) -> None:
        """Join groups; on return the layer delivers them here, or is unavailable."""
        if self._joined.issuperset(groups):
            return
        self._wanted.update(groups)
        if self._joining is None:
            self._joining = asyncio.create_task(self._join_wanted())
        await asyncio.shield(self._joining)

    async def _join_wanted(self) -> None:
        async with self._turn:
            wanted, self._wanted, self._joining = self._wanted - self._joined, set(), None
            taken = await self._add(wanted)
            if taken:
                await self._wait_for_barrier(taken[-1])
                self._joined.update(taken)

    async def _add(self, groups: Iterable[str]) -> list[str]:
        """Join groups one by one; return those that the layer accepted."""
        taken: list[str] = []
        try:
            for group in groups if self.channel else ():
                async with asyncio.timeout(LAYER_TIMEOUT):
                    await self._layer.group_add(group, self.channel)
                taken.append(group)
        except Exception as error:
            logger.warning("group join failed group=%s error=%r", group, error)
        return taken

    async def _wait_for_barrier(self, group: str) -> None:
        """Wait until a message of our own returns through the group that was joined last.

        Redis does not confirm a subscription, but processes the commands of a connection in order.
        """
        barrier, passed = uuid.uuid4().hex, asyncio.Event()
        self._barriers[barrier] = passed
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                await self._layer.group_send(group, encode(Barrier(group, barrier)))
                await passed.wait()
        except Exception as error:
            logger.warning("group join unconfirmed group=%s error=%r", group, error)
        finally:
            del self._barriers[barrier]

    def pass_barrier(self, barrier: str) -> None:
        """Note that a barrier message has returned."""
        if barrier in self._barriers:
            self._barriers[barrier].set()

    def invalidate(self) -> None:
        """Join all needed groups again at the next resync: the layer may have dropped them."""
        self._joined = {group for group in self._joined if not self._is_needed(group)}

    async def resync(self, needed: Iterable[str]) -> None:
        """Join the groups that the layer refused or may have dropped, and leave those that are not needed."""
        if not self.channel:
            await self.open()
        for group in [group for group in self._joined if not self._is_needed(group)]:
            if not self._is_needed(group):  # a socket may have joined while others were left
                await self._leave(group)
        self._joined.update(await self._add([group for group in needed if group not in self._joined]))

    async def _leave(self, group: str) -> None:
        self._joined.discard(group)
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                await self._layer.group_discard(group, self.channel)
        except Exception as error:
            logger.warning("group leave failed group=%s error=%r", group, error)
