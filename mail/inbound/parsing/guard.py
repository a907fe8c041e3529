"""Parses a message in a process of its own, which is killed when it takes too long, whatever the message does."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Final

from mail.inbound.parsing import reading
from mail.inbound.parsing.message import ParsedMail

TIMEOUT: Final = 30  # seconds, on a busy machine
PROJECT: Final = Path(__file__).resolve().parents[3]


def parse(raw: bytes) -> ParsedMail:
    """Return what a message says; only its headers if reading it took too long or too much memory."""
    command = [sys.executable, "-m", "mail.inbound.parsing"]
    try:
        answer = subprocess.run(command, input=raw, capture_output=True, timeout=TIMEOUT, cwd=PROJECT, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return reading.headers_only(raw)
    if answer.returncode != 0:
        return reading.headers_only(raw)
    parsed: ParsedMail = pickle.loads(answer.stdout)  # noqa: S301  (our own process wrote it)
    return parsed
