"""Names of files that are safe and unique on every system that unpacks an archive."""

import re
import unicodedata
from pathlib import PurePosixPath

MAX_NAME = 150  # characters; 255 bytes on most systems, and Windows limits the whole path
UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # devices of Windows


class FileNames:
    """The names given so far; systems that ignore case would overwrite a name in another case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def path(self, *parts: str) -> str:
        """Return a path that was not returned before; the last part is the file's name."""
        *folders, name = (safe_name(part) for part in parts)
        stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
        path, number = "/".join([*folders, name]), 1
        while path.casefold() in self._taken:
            number += 1
            path = "/".join([*folders, f"{stem} ({number}){suffix}"])
        self._taken.add(path.casefold())
        return path


def safe_name(name: str) -> str:
    """Return a name without folders, control characters and names of devices."""
    visible = "".join(char for char in unicodedata.normalize("NFC", name) if unicodedata.category(char)[0] != "C")
    safe = UNSAFE.sub("_", visible).strip(" .")
    suffix = PurePosixPath(safe).suffix[:20]
    stem = safe.removesuffix(suffix)
    while len((stem + suffix).encode()) > MAX_NAME:
        stem = stem[:-1]
    safe = stem.rstrip(" .") + suffix
    if not safe:
        return "file"
    return f"_{safe}" if RESERVED.fullmatch(safe) else safe
