"""`manage.py realtime_doctor`: test the whole path of live updates, and name the first broken step and its fix."""

import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from realtime.doctor import page_steps, path, steps, walk
from realtime.doctor.site import Site
from realtime.doctor.walk import Finding, State, Walk
from realtime.management.terminal import as_json, exits_quietly, printable, user_named

DEFAULT_URL = "http://127.0.0.1:8080"


class Command(BaseCommand):
    """Plays a page of one user: it signs them in for a moment, opens sockets, and sends events that pages ignore."""

    help = "Test the path of live updates from the outside; exit with 1 if a step fails, and name the fix."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("--url", help=f"the site as browsers open it (default: SITE_URL, or {DEFAULT_URL})")
        parser.add_argument("--as", dest="user", metavar="EMAIL", help="whose page is played (default: an admin)")
        parser.add_argument("--quick", action="store_true", help="do not wait for a silent socket (about 30 seconds)")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk, and print each step."""
        try:
            site = Site.at(options["url"] or getattr(settings, "SITE_URL", "") or DEFAULT_URL)
        except ValueError as error:
            raise CommandError(str(error)) from None
        found = Walk(site, sockets_at=path.sockets_at(site), waits_for_idle=not options["quick"])
        with suppress(DatabaseError):  # the first step names the fault
            found.user = user_named(options["user"]) or steps.probe_user(get_user_model())
        found.channel = steps.probe_channel(found.user)
        with exits_quietly():
            try:
                for finding in walk.run(found, path.all_steps()):
                    if not options["json"]:
                        self._print(finding)
            finally:
                found.close()
                with suppress(DatabaseError):
                    page_steps.end_session(found)
            self._conclude(found, as_text=not options["json"])

    def _print(self, finding: Finding) -> None:
        style = {State.OK: self.style.SUCCESS, State.FAILED: self.style.ERROR, State.ADVICE: self.style.WARNING}
        state = style.get(finding.state, str)(f"{finding.state.value:<8}")
        self.stdout.write(f"{state}  {finding.step:<14} {printable(finding.found)}")
        if finding.fix:
            self.stdout.write(f"{'':<25}{printable(finding.fix)}")
        self.stdout.flush()

    def _conclude(self, found: Walk, *, as_text: bool) -> None:
        broken = walk.first_broken(found.findings)
        if not as_text:
            report = {"url": found.site.url, "broken": broken and broken.step, "fix": broken and broken.fix}
            self.stdout.write(as_json(report | {"steps": [walk.as_dict(each) for each in found.findings]}, indent=2))
        elif broken is None:
            self.stdout.write("\nNothing is broken.")
        else:
            self.stdout.write(f"\nFirst mend “{broken.step}”: {printable(broken.fix)}")
        if broken is not None:
            sys.exit(1)
