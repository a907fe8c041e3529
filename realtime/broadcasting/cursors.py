"""Opaque cursors: encrypted snapshots of the log: the growth of plain ones would reveal other users' events."""

from realtime.utils import encryption
from realtime.utils.snapshots import Snapshot


def encode_cursor(snapshot: Snapshot) -> str:
    """Return the encrypted snapshot."""
    return encryption.encrypt(snapshot.encode(), purpose="cursor")


def decode_cursor(cursor: str) -> Snapshot | None:
    """Return the snapshot in a cursor; None if it is foreign, damaged or from another SECRET_KEY."""
    text = encryption.decrypt(cursor, purpose="cursor")
    return None if text is None else Snapshot.decode(text)
