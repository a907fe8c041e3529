"""Cursors: positions in the log, sealed. How fast they grow would tell a customer that others were written to."""

from realtime.utils import encryption


def encode_cursor(position: int) -> str:
    """Return the position so that nobody can read it."""
    return encryption.encrypt(str(position), purpose="cursor")


def decode_cursor(cursor: str) -> int | None:
    """Return the position in a cursor; None if this desk did not give it, or gave it under another SECRET_KEY."""
    text = encryption.decrypt(cursor, purpose="cursor")
    return None if text is None else int(text)
