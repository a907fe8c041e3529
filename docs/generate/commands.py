"""The commands of `manage.py`: what each does, and its arguments."""

import argparse
from collections.abc import Iterable, Iterator

from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from docs.generate.markdown import code, table

OURS = ("accounts", "audit", "jobs", "mail", "realtime", "tickets", "tikm")
OF_DJANGO = {action.dest for action in BaseCommand().create_parser("", "")._actions}


def commands() -> str:
    """Return a section for each command of the project."""
    names = sorted(name for name, app in get_commands().items() if app in OURS and apps.is_installed(str(app)))
    return "\n".join(_section(name, str(get_commands()[name])) for name in names)


def _section(name: str, app: str) -> str:
    command = load_command_class(app, name)
    arguments = [action for action in _actions(command, name) if action.dest not in OF_DJANGO]
    rows = [(_shown(action), _help(action), _default(action)) for action in arguments]
    text = table(("argument", "is", "default"), rows) if rows else ""
    return f"## `{name}`\n\n{command.help}\n" + f"\n{text}" * bool(text)


def _actions(command: BaseCommand, name: str) -> Iterator[argparse.Action]:
    parser = command.create_parser("manage.py", name)
    return iter(parser._actions)


def _shown(action: argparse.Action) -> str:
    metavar = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    if isinstance(metavar, tuple):
        metavar = " ".join(metavar)
    if not action.option_strings:
        return code(metavar if action.nargs != "?" else f"[{metavar}]")
    return ", ".join(code(f"{option} {metavar}".strip()) for option in action.option_strings)


def _help(action: argparse.Action) -> str:
    choices = f" ({_listed(action.choices)})" if action.choices else ""
    return (action.help or "") % {"default": action.default} + choices


def _listed(values: Iterable[object]) -> str:
    return ", ".join(code(value) for value in values)


def _default(action: argparse.Action) -> str:
    if action.required:
        return "required"
    has_one = action.nargs != 0 and action.default not in (None, False, argparse.SUPPRESS, [])
    if not has_one:
        return ""
    return _listed(action.default) if isinstance(action.default, list) else code(action.default)
