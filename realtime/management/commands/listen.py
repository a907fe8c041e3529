"""Print the events of a channel: a real socket client in the terminal."""

from argparse import ArgumentParser
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError

from realtime.channels import NAME, auth_signatures
from realtime.conf import config
from realtime.management.terminal import as_json, exits_on_interrupt, exits_quietly, printable, user_named
from realtime.monitoring.explain_access import explain
from realtime.monitoring.terminal_client import Notice, PusherClient, ReceivedEvent, Refused, websocket_url

DEFAULT_URL = "http://127.0.0.1:8000"


class Command(BaseCommand):
    """Subscribes as a Pusher client does, so it receives what other clients receive."""

    help = "Print every event of a channel as it arrives, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("channel", help="full name, such as private-office.1")
        parser.add_argument("--as", dest="user", metavar="EMAIL", help="the user (default: anonymous)")
        parser.add_argument("--json", action="store_true", help="print one line of JSON per event")
        parser.add_argument("--url", default=_server_url(), help="the server (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print events to stdout, and messages about the connection to stderr."""
        channel, user = options["channel"], user_named(options["user"])
        if not NAME.fullmatch(channel):
            raise CommandError(f"{printable(channel)} is not a channel name. {explain(None, channel).reason}")
        self._print = self._print_json if options["json"] else self._print_text
        with exits_quietly(), exits_on_interrupt():
            try:
                self._listen(PusherClient(_websocket_url(options["url"]), channel, partial(_sign, user, channel)))
            except Refused as error:
                raise CommandError(_explain(str(error), user, channel)) from None

    def _listen(self, client: PusherClient) -> None:
        for received in client.events():
            if isinstance(received, Notice):
                self.stderr.write(printable(received.text), self.style.NOTICE)
                self.stderr.flush()
            else:
                self._print(received)
                self.stdout.flush()

    def _print_text(self, event: ReceivedEvent) -> None:
        time = f"{datetime.now().astimezone():%H:%M:%S.%f}"[:-3]
        self.stdout.write(printable(f"{time}  {event.event}  {event.channel}"))
        data = event.data if isinstance(event.data, str) else as_json(event.data, indent=2)
        self.stdout.write("\n".join(f"    {line}" for line in printable(data).splitlines()))

    def _print_json(self, event: ReceivedEvent) -> None:
        time = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self.stdout.write(as_json({"time": time, **vars(event)}))


def _server_url() -> str:
    """Return the server that browsers connect to, or else the development server."""
    settings = config()
    if not settings.host:
        return DEFAULT_URL
    address = f"{settings.host}:{settings.port}" if settings.port else settings.host
    return f"{settings.scheme or 'http'}://{address}"


def _websocket_url(base: str) -> str:
    try:
        return websocket_url(base, config().app_key)
    except ValueError as error:
        raise CommandError(str(error)) from None


def _sign(user: AbstractBaseUser | None, channel: str, socket_id: str) -> dict[str, str]:
    return {"auth": ""} if user is None else auth_signatures.sign_for_tool(user, socket_id, channel)


def _explain(error: str, user: AbstractBaseUser | None, channel: str) -> str:
    """Add the likely reason to a refusal."""
    if "(4001)" in error:
        return f"{error} The server has another REALTIME_APP_KEY than this command."
    if "signature" in error:
        return f"{error} The server has another REALTIME_APP_SECRET than this command."
    if not error.startswith("Subscription"):
        return error
    decision = explain(user, channel)
    hint = " Name a user with --as." if user is None else ""
    return f"{error} {decision.reason}{hint}" if decision.audience is None else error
