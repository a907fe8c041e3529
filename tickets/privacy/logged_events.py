"""Rewrite the data of logged events: an erased person has the new name in what the history replays."""

from typing import Any

from accounts.models import DeskSettings, User
from accounts.privacy.identity import Identity
from realtime import Audience
from tickets.models import Reply


class LoggedEvents:
    """The rule by which the data of one person's events change."""

    def __init__(self, identity: Identity, person: User) -> None:
        self.identity = identity
        self.names = {identity.name}
        if not person.is_customer and DeskSettings.current().staff_names == DeskSettings.StaffNames.FIRST:
            self.names |= set(identity.name.split()[:1])
        self.replies = {str(key) for key in Reply.objects.filter(author=person).values_list("pk", flat=True)}

    def rewritten(self, version: Audience, data: Any, staff: Any) -> Any:
        """Return the data of one version of an event; the staff version says who a masked name is."""
        self._rename(data, staff if staff is not None else data)
        ticket, reply = data.get("ticket"), data.get("reply")
        if isinstance(ticket, dict) and self._is_person(ticket.get("creator")):
            _replace(ticket, self.identity, "subject")
            _replace(data.get("changes") or {}, self.identity, "subject")
        if isinstance(reply, dict) and reply.get("id") in self.replies:
            _replace(reply, self.identity, "message", "message_html", "attachments")
        return data

    def _rename(self, node: Any, staff: Any) -> None:
        """Rename the person at every place, down to the assignees and participants of a change, which have no id."""
        if isinstance(node, list):
            for index, each in enumerate(node):
                self._rename(each, staff[index] if isinstance(staff, list) and index < len(staff) else each)
        elif isinstance(node, dict):
            if "name" in node and (self._is_person(node) or self._is_masked(node, staff)):
                node["name"] = self.identity.replacement
            for key, each in node.items():
                if key in ("assigned_to", "participants") and isinstance(each, dict) and "id" not in each:
                    self._rename_ends(each)
                self._rename(each, staff.get(key) if isinstance(staff, dict) else None)

    def _rename_ends(self, change: dict[str, Any]) -> None:
        for end in ("from", "to"):
            if change.get(end) in self.names:
                change[end] = self.identity.replacement

    def _is_person(self, node: Any) -> bool:
        return isinstance(node, dict) and node.get("id") == self.identity.user_id

    def _is_masked(self, node: dict[str, Any], staff: Any) -> bool:
        """Return whether customers see the person there under a masked name; an office's name may stay."""
        is_same = self._is_person(staff) or staff is node
        return node.get("id", "") is None and node["name"] in self.names and is_same


def _replace(node: dict[str, Any], identity: Identity, *keys: str) -> None:
    for key in keys:
        if key in node:
            node[key] = identity.removed_from(node[key])
