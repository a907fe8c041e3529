"""The keyboard shortcuts of staff pages: one table for the help, the command palette and the scripts."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

register = template.Library()

LIST = reverse_lazy("tickets:list")


@dataclass(frozen=True)
class Shortcut:
    """Keys as `lib/keys/shortcuts.js` names them, and an action of `lib/keys/actions.js`: "go" leads to `href`.

    Without an action, the browser or the field does it, and the help names it.
    """

    keys: str
    action: str
    label: Any
    path: Any = ""
    query: str = ""

    @property
    def shown(self) -> list[str]:
        """The keys to press, one after another or together."""
        return self.keys.replace("Mod+", "Ctrl ").replace("Shift+", "Shift ").split()

    @property
    def href(self) -> str:
        """The address that the shortcut leads to."""
        return f"{self.path}{self.query}"


SHORTCUTS: list[tuple[Any, list[Shortcut]]] = [
    (
        _("Everywhere"),
        [
            Shortcut("Mod+K", "palette", _("Search tickets and commands")),
            Shortcut("?", "help", _("Show keyboard shortcuts")),
            Shortcut("/", "search", _("Search the list")),
            Shortcut("c", "go", _("New ticket"), reverse_lazy("tickets:new")),
            Shortcut("Esc", "", _("Leave a field, close a dialog")),
        ],
    ),
    (
        _("Go to"),
        [
            Shortcut("g d", "go", _("Dashboard"), reverse_lazy("home")),
            Shortcut("g a", "go", _("Active tickets"), LIST),
            Shortcut("g n", "go", _("Needs reply"), LIST, "?status=waiting"),
            Shortcut("g r", "go", _("Unread tickets"), LIST, "?status=unread"),
            Shortcut("g m", "go", _("My tickets"), LIST, "?assignee=me"),
            Shortcut("g u", "go", _("Unassigned tickets"), LIST, "?assignee=none"),
            Shortcut("g s", "go", _("Snoozed tickets"), LIST, "?status=snoozed"),
            Shortcut("g t", "go", _("All tickets"), LIST, "?status=all"),
            Shortcut("g o", "go", _("Reports"), reverse_lazy("reports:report")),
            Shortcut("g p", "go", _("Profile"), reverse_lazy("profile")),
        ],
    ),
    (
        _("List"),
        [
            Shortcut("j", "next", _("Next ticket")),
            Shortcut("k", "previous", _("Previous ticket")),
            Shortcut("Enter", "", _("Open the ticket")),
            Shortcut("x", "select", _("Select the ticket")),
            Shortcut("Shift+J", "select-next", _("Select the next ticket too")),
            Shortcut("Shift+K", "select-previous", _("Select the previous ticket too")),
        ],
    ),
    (
        _("Ticket"),
        [
            Shortcut("r", "reply", _("Write a reply")),
            Shortcut("n", "note", _("Write an internal note")),
            Shortcut("i", "take", _("Assign to me")),
            Shortcut("a", "assign", _("Change the assignee")),
            Shortcut("s", "status", _("Change the status")),
            Shortcut("p", "priority", _("Change the priority")),
            Shortcut("l", "tag", _("Add a tag")),
            Shortcut("#", "snooze", _("Snooze")),
            Shortcut("m", "macro", _("Apply a macro")),
            Shortcut("u", "back", _("Back to the list")),
            Shortcut("Ctrl Enter", "", _("Send reply")),
            Shortcut("Ctrl Shift Enter", "", _("Send and close")),
        ],
    ),
]


@register.simple_tag
def keyboard_shortcuts() -> list[tuple[Any, list[Shortcut]]]:
    """Return the groups of shortcuts with their headings."""
    return SHORTCUTS
