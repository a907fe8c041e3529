"""Opaque cursors: encrypted log positions, because the growth of plain ones would reveal other users' events."""

from realtime.utils import encryption


def encode_cursor(position: int) -> str:
    """Return the encrypted position."""
    return encryption.encrypt(str(position), purpose="cursor")


def decode_cursor(cursor: str) -> int | None:
    """Return the position in a cursor; None if it is foreign, damaged or from another SECRET_KEY."""
    text = encryption.decrypt(cursor, purpose="cursor")
    return None if text is None else int(text)
