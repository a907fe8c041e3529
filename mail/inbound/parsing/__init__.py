"""Reads messages: pure functions without Django, so that a process that is killed if need be can run them."""

from mail.inbound.parsing.message import (
    Address,
    Authentication,
    Bounce,
    Forwarded,
    Kind,
    MailFile,
    ParsedMail,
    Problem,
)
from mail.inbound.parsing.reading import parse

__all__ = ["Address", "Authentication", "Bounce", "Forwarded", "Kind", "MailFile", "ParsedMail", "Problem", "parse"]
