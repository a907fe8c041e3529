"""Lists every channel pattern with its rule, and says who may hear a channel and why."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError

from realtime.channels import ChannelPattern, channel_patterns
from realtime.management.terminal import as_json, person_named, printable
from realtime.monitoring import explain_access
from realtime.monitoring.explain_access import Verdict


class Command(BaseCommand):
    """Asks the rules that sockets are asked by."""

    help = "List the channels and their rules; with CHANNEL say who hears it. The exit status is 1 for a no."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the question."""
        parser.add_argument("channel", nargs="?", help="full name, such as private-office.1")
        parser.add_argument("--as", dest="person", metavar="EMAIL", help="who wants to hear it; else anybody")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or answer."""
        if options["channel"] is None:
            if options["person"]:
                raise CommandError("Name a channel too: channels private-office.1 --as EMAIL.")
            self._list(in_json=options["json"])
            return
        person = person_named(options["person"])
        verdict = explain_access.judge(person, options["channel"])
        self.stdout.write(_in_json(person, verdict) if options["json"] else _in_words(person, verdict))
        if verdict.audience is None:
            sys.exit(1)

    def _list(self, *, in_json: bool) -> None:
        patterns = [_described(pattern) for pattern in channel_patterns()]
        if in_json:
            self.stdout.write(as_json(patterns, indent=2))
            return
        for each in patterns:
            self.stdout.write(self.style.MIGRATE_HEADING(each["pattern"]))
            self.stdout.write(f"    kind      {each['kind']}")
            self.stdout.write(f"    rule      {each['rule']}")
            self.stdout.write(f"              {each['says']}")
            self.stdout.write(f"    whispers  {', '.join(each['whispers']) or 'none'}")


def _described(pattern: ChannelPattern) -> dict[str, Any]:
    return {
        "pattern": explain_access.full_name(pattern),
        "kind": explain_access.kind(pattern),
        "rule": explain_access.name_of(pattern.rule),
        "says": explain_access.summary(pattern.rule),
        "whispers": sorted(pattern.whispers),
    }


def _in_words(person: AbstractBaseUser | None, verdict: Verdict) -> str:
    who, channel = str(person or "somebody who is not signed in"), verdict.channel
    if verdict.audience is None:
        answer = f"No: {who} may not hear {channel}."
    else:
        answer = f"Yes: {who} hears {channel} as {verdict.audience.value}."
    of = [f"It is of the pattern {explain_access.full_name(verdict.pattern)}."] if verdict.pattern else []
    seen = "The others do not see it." if verdict.shown_as is None else f"The others see: {verdict.shown_as}."
    is_seen = verdict.audience is not None and verdict.pattern is not None and verdict.pattern.is_presence
    return printable("\n".join([answer, *of, verdict.reason, *([seen] if is_seen else [])]))


def _in_json(person: AbstractBaseUser | None, verdict: Verdict) -> str:
    pattern = verdict.pattern
    answer = {
        "channel": verdict.channel,
        "person": None if person is None else str(person),
        "hears": verdict.audience is not None,
        "audience": verdict.audience and verdict.audience.value,
        "pattern": pattern and explain_access.full_name(pattern),
        "rule": pattern and explain_access.name_of(pattern.rule),
        "reason": verdict.reason,
        "shown_as": verdict.shown_as,
    }
    return as_json(answer, indent=2)
