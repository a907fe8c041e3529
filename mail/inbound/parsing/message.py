"""What parsing returns: plain values, which a process without Django builds."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """Who or what wrote a message (RFC 3834)."""

    PERSONAL = "personal"
    MAILING_LIST = "mailing_list"
    AUTOMATIC = "automatic"  # a program began the conversation
    AUTOMATIC_REPLY = "automatic_reply"  # such as a vacation reply
    BOUNCE = "bounce"


class Problem(StrEnum):
    """What of a message could not be kept as it was meant; the original has it."""

    TOO_MANY_PARTS = "too_many_parts"
    TOO_DEEP = "too_deep"
    CUT = "cut"  # the text is longer than a message may be
    ENCRYPTED = "encrypted"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Address:
    """A mailbox with its display name, which may be empty."""

    name: str
    email: str


@dataclass(frozen=True)
class MailFile:
    """A file of a message. One with a `content_id` may be shown by the HTML."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str = ""
    is_inline: bool = False
    contains: tuple[str, ...] = ()  # names of the files in a winmail.dat


@dataclass(frozen=True)
class Bounce:
    """A mail that could not be delivered."""

    recipient: str
    message_id: str  # of that mail
    reason: str
    is_permanent: bool


@dataclass(frozen=True)
class Forwarded:
    """The message that someone forwarded, and what they wrote above it."""

    sender: Address
    subject: str
    text: str
    comment: str = ""


@dataclass(frozen=True)
class Authentication:
    """What the topmost Authentication-Results header says (RFC 8601)."""

    authserv_id: str = ""
    verified_domains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ParsedMail:
    """A message, as a person would read it."""

    message_id: str = ""
    references: tuple[str, ...] = ()  # the latest first
    sender: Address | None = None
    recipients: tuple[str, ...] = ()  # To, Cc and what the mail server adds
    copied: tuple[Address, ...] = ()  # Cc
    subject: str = ""
    text: str = ""  # all of it
    new_text: str = ""  # without quotes and signature, if there is more than these
    html: str = ""  # sanitised
    files: tuple[MailFile, ...] = ()
    kind: Kind = Kind.PERSONAL
    bounce: Bounce | None = None
    forwarded: Forwarded | None = None
    authentication: Authentication = Authentication()
    spam_filters: tuple[str, ...] = ()  # those whose headers call it spam
    hops: int = 0
    problems: tuple[Problem, ...] = ()
