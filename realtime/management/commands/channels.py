"""List the channel patterns and their rules, and explain who may subscribe to a channel."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError

from realtime.channels import ChannelPattern, channel_patterns
from realtime.management.terminal import as_json, printable, user_named
from realtime.monitoring import explain_access
from realtime.monitoring.explain_access import AccessDecision, pattern_name, rule_name


class Command(BaseCommand):
    """Asks the same rules as a subscription."""

    help = "List the channels and their rules; with CHANNEL, say who may subscribe. Exit status 1 means no."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("channel", nargs="?", help="full name, such as private-office.1")
        parser.add_argument("--as", dest="user", metavar="EMAIL", help="the user (default: anonymous)")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the list, or the explanation."""
        if options["channel"] is None:
            if options["user"]:
                raise CommandError("--as needs a channel: channels private-office.1 --as EMAIL.")
            self._list(as_text=not options["json"])
            return
        user = user_named(options["user"])
        decision = explain_access.explain(user, options["channel"])
        self.stdout.write(_to_json(user, decision) if options["json"] else _to_text(user, decision))
        if decision.audience is None:
            sys.exit(1)

    def _list(self, *, as_text: bool) -> None:
        patterns = [_describe(pattern) for pattern in channel_patterns()]
        if not as_text:
            self.stdout.write(as_json(patterns, indent=2))
            return
        for each in patterns:
            self.stdout.write(self.style.MIGRATE_HEADING(each["pattern"]))
            self.stdout.write(f"    type           {each['type']}")
            self.stdout.write(f"    rule           {each['rule']}")
            self.stdout.write(f"                   {each['description']}")
            self.stdout.write(f"    client events  {', '.join(each['client_events']) or 'none'}")


def _describe(pattern: ChannelPattern) -> dict[str, Any]:
    return {
        "pattern": pattern_name(pattern),
        "type": explain_access.channel_type(pattern),
        "rule": rule_name(pattern.rule),
        "description": explain_access.rule_summary(pattern.rule),
        "client_events": sorted(pattern.client_events),
    }


def _to_text(user: AbstractBaseUser | None, decision: AccessDecision) -> str:
    name, pattern = str(user or "an anonymous user"), decision.pattern
    if decision.audience is None:
        lines = [f"No: {name} may not subscribe to {decision.channel}."]
    else:
        lines = [f"Yes: {name} may subscribe to {decision.channel} (audience: {decision.audience.value})."]
    if pattern is not None:
        lines.append(f"The name matches {pattern_name(pattern)}.")
    lines.append(decision.reason)
    if pattern is not None and pattern.is_presence and decision.audience is not None:
        hidden = decision.shown_as is None
        lines.append("Hidden from other members." if hidden else f"Other members see: {decision.shown_as}.")
    return printable("\n".join(lines))


def _to_json(user: AbstractBaseUser | None, decision: AccessDecision) -> str:
    pattern = decision.pattern
    fields = {
        "channel": decision.channel,
        "user": None if user is None else str(user),
        "allowed": decision.audience is not None,
        "audience": decision.audience and decision.audience.value,
        "pattern": pattern and pattern_name(pattern),
        "rule": pattern and rule_name(pattern.rule),
        "reason": decision.reason,
        "shown_as": decision.shown_as,
    }
    return as_json(fields, indent=2)
