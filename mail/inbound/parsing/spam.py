"""Reads what spam filters write into the headers of a message.

A sender can write these headers too. The caller, which knows the filter of the receiving server, decides which count.
"""

import re
from collections.abc import Callable
from email.message import Message
from typing import Final

from mail.inbound.parsing.headers import raw_values, unfolded

SCL: Final = re.compile(r"\bSCL:(\d{1,2})\b", re.I)
SCL_OF_SPAM: Final = 5  # to 9; below are messages that are no spam, or were not checked


def _says_yes(value: str) -> bool:
    """Return whether a value begins with "Yes", as in "Yes, score=7.9 required=5.0 ..."."""
    return bool(re.match(r"\s*yes\b", value, re.I))


def _is_high(value: str) -> bool:
    return value.strip().isascii() and value.strip().isdigit() and int(value.strip()[:3]) >= SCL_OF_SPAM


def _has_high(value: str) -> bool:
    return any(int(level) >= SCL_OF_SPAM for level in SCL.findall(value))


# The headers of each filter, and what in them means spam.
FILTERS: Final[dict[str, dict[str, Callable[[str], bool]]]] = {
    "spamassassin": {"X-Spam-Flag": _says_yes, "X-Spam-Status": _says_yes},
    "rspamd": {"X-Spam": _says_yes},
    "exchange": {"X-MS-Exchange-Organization-SCL": _is_high, "X-Forefront-Antispam-Report": _has_high},
}


def filters(message: Message) -> tuple[str, ...]:
    """Return the filters, if they are used, that call the message spam: by any of their headers, wherever it stands.

    So another header with the same name, which may come with the message, cannot outvote that of the server.
    """
    return tuple(name for name, headers in FILTERS.items() if _is_spam(message, headers))


def _is_spam(message: Message, headers: dict[str, Callable[[str], bool]]) -> bool:
    return any(says(unfolded(value)) for name, says in headers.items() for value in raw_values(message, name))
