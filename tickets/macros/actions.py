"""What a macro does: its stored actions with the rows that they name, and how they are shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from tickets.configuration.variables import validate_text
from tickets.forms.choices import ListChoices
from tickets.models import Macro, Tag
from tickets.snooze.forms import CHOICES as SNOOZE_CHOICES
from tickets.snooze.forms import END, chosen_time

ME, NO_ONE = "me", "none"
LABELS: Final = {
    "status": gettext_lazy("Status"),
    "priority": gettext_lazy("Priority"),
    "assigned_to": gettext_lazy("Assignee"),
    "office": gettext_lazy("Office"),
    "add_tags": gettext_lazy("Add tags"),
    "remove_tags": gettext_lazy("Remove tags"),
    "snooze": gettext_lazy("Snooze"),
    "follow": gettext_lazy("Follow"),
    "reply": gettext_lazy("Reply"),
    "note": gettext_lazy("Internal note"),
}
TEXTS: Final = ("reply", "note")
MISSING: Final = {
    "status": gettext_lazy("The status of this macro no longer exists."),
    "priority": gettext_lazy("The priority of this macro no longer exists."),
    "assigned_to": gettext_lazy("The assignee of this macro can no longer be assigned."),
    "office": gettext_lazy("The office of this macro no longer exists."),
    "add_tags": gettext_lazy("A tag of this macro no longer exists."),
    "remove_tags": gettext_lazy("A tag of this macro no longer exists."),
}
_SUMMARY_LENGTH = 60  # characters of a text in the summary


@dataclass(frozen=True)
class Actions:
    """The actions of a macro. `fields` are rows, or the words ME and NO_ONE; `tags` are rows."""

    fields: Mapping[str, Any]
    tags: Mapping[str, list[Tag]]
    snooze: str
    follow: bool
    texts: Mapping[str, str]
    # The names of actions whose row is gone.
    missing: tuple[str, ...]

    def values(self, *, by: User) -> dict[str, Any]:
        """Return the arguments of `update_ticket`."""
        words = {ME: by, NO_ONE: None}
        values = {name: words[row] if isinstance(row, str) else row for name, row in self.fields.items()}
        return values | {"snoozed_until": chosen_time(self.snooze)} if self.snooze else values

    @property
    def problems(self) -> list[str]:
        """What prevents the macro from being applied."""
        return list(dict.fromkeys(str(MISSING[name]) for name in self.missing))

    def lines(self) -> list[dict[str, str]]:
        """Return what it does besides the texts, as {name, label, value}."""
        return [{"name": name, "label": str(LABELS[name]), "value": value} for name, value in self._values()]

    def summary(self) -> str:
        """Return what it does in one line."""
        facts = [f"{line['label']}: {line['value']}" for line in self.lines()]
        cut = {name: Truncator(" ".join(text.split())).chars(_SUMMARY_LENGTH) for name, text in self.texts.items()}
        return " · ".join([*facts, *(f"{LABELS[name]}: {text}" for name, text in cut.items())])

    def _values(self) -> Iterator[tuple[str, str]]:
        words = {ME: _("Me"), NO_ONE: _("No one")}
        for name in LABELS:
            if name in self.missing:
                yield name, _("no longer exists")
            elif name in self.fields:
                row = self.fields[name]
                yield name, words[row] if isinstance(row, str) else str(row)
            elif self.tags.get(name):
                yield name, ", ".join(str(tag) for tag in self.tags[name])
            elif name == "snooze" and self.snooze:
                yield name, str(dict(SNOOZE_CHOICES)[self.snooze])
            elif name == "follow" and self.follow:
                yield name, _("Yes")


def read(macro: Macro, choices: ListChoices) -> Actions:
    """Return the actions of a macro with the rows that they name."""
    stored = macro.actions
    rows: dict[str, list[Any]] = {
        "status": choices.statuses,
        "priority": choices.priorities,
        "assigned_to": choices.assignees,
        "office": choices.offices,
    }
    fields = {name: _row(stored[name], found) for name, found in rows.items() if name in stored}
    tags = {
        name: [_row(key, choices.tags) for key in stored[name]]
        for name in ("add_tags", "remove_tags")
        if name in stored
    }
    gone = [name for name, row in fields.items() if row is None] + [
        name for name, found in tags.items() if None in found
    ]
    return Actions(
        fields={name: row for name, row in fields.items() if row is not None},
        tags={name: [tag for tag in found if tag is not None] for name, found in tags.items()},
        snooze=stored.get("snooze", ""),
        follow=stored.get("follow", False),
        texts={name: stored[name] for name in TEXTS if name in stored},
        missing=tuple(gone),
    )


def validate(macro: Macro) -> None:
    """Raise ValidationError, by the names of actions, for actions that cannot be done, or none."""
    actions = read(macro, ListChoices())
    if not macro.actions:
        raise ValidationError(_("Choose at least one action."))
    if actions.missing:
        raise ValidationError({name: str(MISSING[name]) for name in actions.missing})
    for name, text in actions.texts.items():
        validate_text(text, field=name)
    status = actions.fields.get("status")
    if status is not None and status.is_closed and actions.snooze not in ("", END):
        raise ValidationError({"snooze": _("A closed ticket can't be snoozed.")})
    if set(actions.tags.get("add_tags", ())) & set(actions.tags.get("remove_tags", ())):
        raise ValidationError({"remove_tags": _("A tag can't be added and removed by the same macro.")})


def _row(key: Any, rows: list[Any]) -> Any:
    """Return the row of a key, which may be one of the words; None if there is none."""
    return key if key in (ME, NO_ONE) else next((row for row in rows if _key_of(row) == key), None)


def _key_of(row: Model) -> Any:
    return str(row.pk) if isinstance(row, User) else row.pk
