"""Listens to a channel in the terminal: a real socket client."""

from argparse import ArgumentParser
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError

from realtime.channels import NAME, auth_signatures
from realtime.conf import config
from realtime.management.terminal import as_json, ends_at_once, ends_quietly, person_named, printable
from realtime.monitoring import explain_access
from realtime.monitoring.terminal_client import Client, Heard, Notice, Refused, address

HOME = "http://127.0.0.1:8000"


class Command(BaseCommand):
    """Subscribes as a Pusher client does, so that what it hears is what others hear."""

    help = "Print every event on a channel as it arrives, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe channel, person and server."""
        parser.add_argument("channel", help="full name, such as private-office.1")
        parser.add_argument("--as", dest="person", metavar="EMAIL", help="who listens; else nobody who is signed in")
        parser.add_argument("--json", action="store_true", help="one line of JSON for each event")
        parser.add_argument("--url", default=_home(), help="the server (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen; what is about the connection goes to the error stream."""
        channel, person = options["channel"], person_named(options["person"])
        if not NAME.fullmatch(channel):
            raise CommandError(f"{printable(channel)} is no channel. {explain_access.judge(None, channel).reason}")
        self._show = self._show_json if options["json"] else self._show_text
        with ends_quietly(), ends_at_once():
            try:
                self._listen(Client(_address(options["url"]), channel, partial(_sign, person, channel)))
            except Refused as refusal:
                raise CommandError(_explained(str(refusal), person, channel)) from None

    def _listen(self, client: Client) -> None:
        for what in client.follow():
            if isinstance(what, Notice):
                self.stderr.write(printable(what.text), self.style.NOTICE)
                self.stderr.flush()
            else:
                self._show(what)
                self.stdout.flush()

    def _show_text(self, event: Heard) -> None:
        time = f"{datetime.now().astimezone():%H:%M:%S.%f}"[:-3]
        self.stdout.write(printable(f"{time}  {event.event}  {event.channel}"))
        data = event.data if isinstance(event.data, str) else as_json(event.data, indent=2)
        self.stdout.write("\n".join(f"    {line}" for line in printable(data).splitlines()))

    def _show_json(self, event: Heard) -> None:
        time = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self.stdout.write(as_json({"time": time, **vars(event)}))


def _home() -> str:
    """Return where browsers find the socket, or where `runserver` is."""
    settings = config()
    if not settings.host:
        return HOME
    place = f"{settings.host}:{settings.port}" if settings.port else settings.host
    return f"{settings.scheme or 'http'}://{place}"


def _address(base: str) -> str:
    try:
        return address(base, config().app_key)
    except ValueError as error:
        raise CommandError(str(error)) from None


def _sign(person: AbstractBaseUser | None, channel: str, socket_id: str) -> dict[str, str]:
    return {"auth": ""} if person is None else auth_signatures.sign_for_tool(person, socket_id, channel)


def _explained(refusal: str, person: AbstractBaseUser | None, channel: str) -> str:
    """Add to a refusal what is known here of the reason."""
    if "(4001)" in refusal:
        return f"{refusal} The server has another REALTIME_APP_KEY than this command."
    if "signature" in refusal:
        return f"{refusal} The server has another REALTIME_APP_SECRET than this command."
    if not refusal.startswith(("Cut", "Refused")):
        return refusal
    verdict = explain_access.judge(person, channel)
    hint = " Name somebody by --as." if person is None else ""
    return f"{refusal} {verdict.reason}{hint}" if verdict.audience is None else refusal
