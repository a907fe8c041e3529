"""Have macros follow what replaces the rows that they name."""

from typing import Any

from tickets.models import Macro


def replace_value(field: str, before: int, after: int) -> None:
    """Let macros name the key `after` instead of `before`, which is about to be deleted; `field` may be `tag`."""
    names = ("add_tags", "remove_tags") if field == "tag" else (field,)
    for macro in Macro.objects.select_for_update().order_by("pk"):
        changed = {name: _replaced(macro.actions[name], before, after) for name in names if name in macro.actions}
        if any(macro.actions[name] != value for name, value in changed.items()):
            macro.actions |= changed
            macro.save(update_fields=["actions"])


def _replaced(stored: Any, before: int, after: int) -> Any:
    """Return a key, or a list of keys without duplicates."""
    if isinstance(stored, list):
        return list(dict.fromkeys(_replaced(key, before, after) for key in stored))
    return after if stored == before else stored
