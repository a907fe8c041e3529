"""Which of the channel layer's groups a process is in, through the one channel of the layer that it has."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Collection, Iterable

from channels.layers import BaseChannelLayer

from realtime.broadcasting.messages import Barrier, encode

logger = logging.getLogger(__name__)

TIMEOUT = 1  # seconds to wait for the layer, in particular to confirm new groups


class GroupMembership:
    """Joins for all who ask at the same time in one go; what the layer refuses or forgets is joined by `mend`."""

    def __init__(self, layer: BaseChannelLayer, is_needed: Callable[[str], bool]) -> None:
        self.channel = ""
        self._layer, self._is_needed = layer, is_needed
        self._joined: set[str] = set()
        self._wanted: set[str] = set()
        self._next: asyncio.Task[None] | None = None  # will join what is wanted
        self._turn = asyncio.Lock()
        self._fences: dict[str, asyncio.Event] = {}

    async def open(self) -> None:
        """Get the channel; without it the log's tail tells everything."""
        try:
            self.channel = await self._layer.new_channel()
        except Exception as error:
            logger.warning("The channel layer is down (%s): the log's tail tells everything.", error)

    async def join(self, groups: Collection[str]) -> None:
        """Be in groups; on return the layer delivers them here, or is down."""
        if self._joined.issuperset(groups):
            return
        self._wanted.update(groups)
        if self._next is None:
            self._next = asyncio.create_task(self._join_wanted())
        await asyncio.shield(self._next)

    async def _join_wanted(self) -> None:
        async with self._turn:
            wanted, self._wanted, self._next = self._wanted - self._joined, set(), None
            taken = await self._add(wanted)
            if taken:
                await self._pass_fence(taken[-1])
                self._joined.update(taken)

    async def _add(self, groups: Iterable[str]) -> list[str]:
        """Return which of the groups the layer took."""
        taken: list[str] = []
        try:
            for group in groups if self.channel else ():
                async with asyncio.timeout(TIMEOUT):
                    await self._layer.group_add(group, self.channel)
                taken.append(group)
        except Exception as error:
            logger.warning("The channel layer could not join a group (%s).", error)
        return taken

    async def _pass_fence(self, group: str) -> None:
        """Wait until a message of our own comes back through the group that was joined last.

        Redis confirms no subscription by itself, but takes a connection's commands in their order.
        """
        fence, passed = uuid.uuid4().hex, asyncio.Event()
        self._fences[fence] = passed
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._layer.group_send(group, encode(Barrier(group, fence)))
                await passed.wait()
        except Exception as error:
            logger.warning("A group was joined without confirmation (%s).", error or "time-out")
        finally:
            del self._fences[fence]

    def passed(self, fence: str) -> None:
        """Note that a message came back."""
        if fence in self._fences:
            self._fences[fence].set()

    def doubt(self) -> None:
        """Join again at the next mending whatever is needed: the layer may have dropped it."""
        self._joined = {group for group in self._joined if not self._is_needed(group)}

    async def mend(self, needed: Iterable[str]) -> None:
        """Join the groups that the layer failed to join or may have dropped, and leave those that are not needed."""
        if not self.channel:
            await self.open()
        for group in [group for group in self._joined if not self._is_needed(group)]:
            if not self._is_needed(group):  # while others were left, somebody may have come
                await self._leave(group)
        self._joined.update(await self._add([group for group in needed if group not in self._joined]))

    async def _leave(self, group: str) -> None:
        self._joined.discard(group)
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._layer.group_discard(group, self.channel)
        except Exception as error:
            logger.warning("The channel layer could not leave a group (%s).", error)
