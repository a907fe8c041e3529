"""The events that are broadcast, from their classes."""

import inspect
from collections.abc import Iterator, Sequence

from docs.generate.markdown import code, summary, table
from realtime import Event

OURS = ("accounts.", "mail.", "tickets.")


def events() -> str:
    """Return the events by name: when they are sent, on which channels, and to which audience."""
    classes = sorted(_events(Event), key=lambda event: (event.broadcast_as, event.__name__))
    rows = [
        (
            code(event.broadcast_as),
            summary(inspect.getdoc(event)),
            _object(event.broadcast_on, "Return "),
            _object(event.broadcast_to, "Broadcast "),
        )
        for event in classes
    ]
    return table(("event", "sent when", "channels", "audience"), rows)


def _object(method: object, verb: str) -> str:
    """Return the docstring of a method without its verb."""
    text = summary(inspect.getdoc(method)).removeprefix(verb)
    return text[:1].upper() + text[1:]


def _events(base: type) -> Iterator[type[Event]]:
    subclasses: Sequence[type[Event]] = base.__subclasses__()
    for event in subclasses:
        if event.__module__.startswith(OURS) and isinstance(getattr(event, "broadcast_as", None), str):
            yield event
        yield from _events(event)
