"""Parses a message in a process of its own, which is killed when it takes too long, whatever the message does."""

import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from mail.inbound.parsing import reading
from mail.inbound.parsing.message import ParsedMail

TIMEOUT: Final = 30  # seconds, on a busy machine
PROJECT: Final = Path(__file__).resolve().parents[3]

_waiting: list[subprocess.Popen[bytes]] = []  # one at most
_lock = threading.Lock()


def parse(raw: bytes) -> ParsedMail:
    """Return what a message says; only its headers if reading it took too long or too much memory."""
    with _take() as process:
        try:
            answer, _errors = process.communicate(raw, TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            return reading.headers_only(raw)
    if process.returncode != 0:
        return reading.headers_only(raw)
    parsed: ParsedMail = pickle.loads(answer)  # noqa: S301  (our own process wrote it)
    return parsed


def prepare() -> None:
    """Have a process wait for the next message: to start one takes longer than most messages do.

    It ends by itself with this process, which holds the other end of its standard input.
    """
    with _lock:
        if not _waiting:
            _waiting.append(_start())


def _take() -> subprocess.Popen[bytes]:
    """Return a process that has read no message yet."""
    with _lock:
        process = _waiting.pop() if _waiting else None
    if process is not None and process.poll() is None:
        return process
    return _start()


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mail.inbound.parsing"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=PROJECT)  # noqa: S603
