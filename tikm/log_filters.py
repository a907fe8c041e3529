"""Filters of log records."""

import logging


class OneLine(logging.Filter):
    """Drops the traceback of a record: a wrong Host header is the client's mistake, and its message says all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Accept every record, without its traceback."""
        record.exc_info = record.exc_text = None
        return True
