"""A socket's subscription to one channel, and its states."""

from dataclasses import dataclass, field
from enum import Enum, auto

from realtime.broadcasting.channel_layer import group_name
from realtime.channels import Audience
from realtime.channels.authorization import Signature
from realtime.protocol import Member
from realtime.websocket.frames import Frames


class State(Enum):
    """The state of a subscription."""

    PENDING = auto()  # being authorized, in no group yet
    ACTIVE = auto()
    REVALIDATING = auto()  # in its group, but frames are held until the user is authorized again
    ENDED = auto()


@dataclass(slots=True, eq=False)
class Subscription:
    """One channel of one socket: the audience the user belongs to, and how other members see them."""

    channel: str
    audience: Audience | None = None  # None while the socket is in none of the channel's groups
    member: Member | None = None
    signature: Signature | None = None
    revision: int = 0  # raised by each revocation: an authorization requested before it does not count
    revalidations: int = 0  # in progress
    must_confirm: bool = False  # the audience changed during revalidation: the client is to ask the history
    has_ended: bool = False  # the client unsubscribed, or was sent an error
    held: list[Frames] = field(default_factory=list)

    @property
    def state(self) -> State:
        """The current state."""
        if self.has_ended:
            return State.ENDED
        if self.revalidations:
            return State.REVALIDATING
        return State.PENDING if self.audience is None else State.ACTIVE

    def begin_revalidation(self) -> None:
        """Ignore authorizations in progress; if the socket is in a group, hold its frames."""
        self.revision += 1
        if self.audience is not None:
            self.revalidations += 1

    def receives(self, group: str) -> bool:
        """Return whether `group` is one of the channel's groups."""
        return any(group == group_name(self.channel, audience) for audience in Audience)

    def take_held(self) -> list[Frames]:
        """Return the held frames, and hold none."""
        held, self.held = self.held, []
        return held
