"""Log records: one line of text each, or one JSON object each (LOG_FORMAT), which names the request it belongs to."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from audit import requests

VALUE = re.compile(r"(?:(\w+)=)?%[a-z]")


class OneLine(logging.Filter):
    """Drops the traceback of a record: a wrong Host header is the client's mistake, and its message says all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Accept every record, without its traceback."""
        record.exc_info = record.exc_text = None
        return True


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON.

    Keys: `time` (ISO 8601, UTC), `level`, `logger`, `message`; `fields`, the values of a message such as
    "job failed task=%s job=%d"; `request` and `user`, the ids of the request and of who is signed in; `exception`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON, without line breaks."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if fields := _fields(record):
            entry["fields"] = fields
        entry |= requests.describe(getattr(record, "request", None))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the values by the names that the message gives them, as in "job failed task=%s job=%d"."""
    names = VALUE.findall(str(record.msg))
    if not isinstance(record.args, tuple) or len(names) != len(record.args):
        return {}
    return {name: value for name, value in zip(names, record.args, strict=True) if name}
