"""Reads the Authentication-Results header of the receiving server (RFC 8601).

Only the topmost one counts: those below may come with the message. The caller, which knows the receiving server's
name, decides whether it is that server's own.
"""

import re
from email.message import Message
from typing import Final

from mail.inbound.parsing.headers import addresses, has_one_sender, raw_value, raw_values
from mail.inbound.parsing.message import Authentication

COMMENT: Final = re.compile(r"\([^()]*\)")
RESULT: Final = re.compile(r"^\s*(dmarc|dkim|spf)\s*=\s*pass\b(.*)$", re.I | re.S)
PROPERTY: Final = re.compile(
    r"(header\.from|header\.d|header\.i|smtp\.mailfrom|smtp\.helo)\s*=\s*\"?([^\s;\"]+)", re.I
)
PROVES: Final = {"dmarc": ("header.from",), "dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}


def read(message: Message) -> Authentication:
    """Return which domains the topmost header verifies; none where the message has several senders."""
    value = raw_value(message, "Authentication-Results")
    for _nesting in range(3):
        value = COMMENT.sub(" ", value)
    server, _semicolon, results = value.partition(";")
    words = server.split()
    if not words or not has_one_sender(message):
        return Authentication(words[0].lower() if words else "")
    domains = {domain for result in results.split(";") for domain in _domains(result)}
    return Authentication(words[0].lower(), frozenset(domains))


def verifies(authentication: Authentication, message: Message) -> bool:
    """Return whether the domain of the message's From, or one above it, is verified."""
    found = addresses(raw_values(message, "From"))
    return len(found) == 1 and is_aligned(found[0].email, authentication.verified_domains)


def is_aligned(email: str, domains: frozenset[str]) -> bool:
    """Return whether an address belongs to one of the domains or to a subdomain (relaxed alignment, RFC 7489)."""
    domain = email.rpartition("@")[2].lower()
    return any("." in each and (domain == each or domain.endswith(f".{each}")) for each in domains)


def _domains(result: str) -> list[str]:
    match = RESULT.match(result)
    if not match:
        return []
    wanted = PROVES[match[1].lower()]
    found = {name.lower(): value.lower() for name, value in PROPERTY.findall(match[2])}
    return [found[name].rpartition("@")[2].strip("<>") for name in wanted if name in found]
