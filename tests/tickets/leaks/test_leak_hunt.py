"""The leak hunt: random actions in random order, and no user learns of a note that they may not read.

`FUZZ_EXAMPLES=200 pytest tests/tickets/leaks/test_leak_hunt.py` tries more sequences, different ones each time.
"""

import inspect
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import channel_layers
from django.core import mail
from django.core.management import call_command
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import clear_settings_cache
from realtime import limits
from realtime.broadcasting import history
from realtime.presence import tracker
from realtime.server import hub
from realtime.utils import rate_limits
from tests.support.jobs import run_all_jobs
from tests.support.sockets import do, session_cookie
from tests.tickets.leaks import mails, pushes
from tests.tickets.leaks.actions import HIDDEN, REFUSED, SERVICES, SOMETIMES_HIDDEN, STEPS, perform
from tests.tickets.leaks.collection import PARAMETERS, PUSHED, Answers, Reader
from tests.tickets.leaks.site import CUSTOMERS, OBSERVERS, Note, Site
from tests.tickets.leaks.sockets import Frames, Sockets, noticed
from tests.tickets.leaks.together import Done
from tickets import services
from tickets.api.parameters import LIST_PARAMETERS
from tickets.links import services as links
from tickets.macros import services as macros
from tickets.merging import services as merging
from tickets.models import Notification, Ticket
from tickets.notifications.push import sending
from tickets.people import organizations, participants
from tickets.snooze import services as snooze
from tickets.splitting import services as splitting
from tickets.tags import services as tags

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
HUNTED = settings(
    max_examples=EXAMPLES or 1,
    phases=[Phase.explicit, *([Phase.generate] if EXAMPLES else [])],
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
CHANGES_ACCESS = (
    *SOMETIMES_HIDDEN, "open_ticket", "open_ticket_for", "split_message", "unassign",
    "add_participant", "add_named_participant", "remove_participant",
)  # fmt: skip
# Members of an organization gain or lose all tickets of the others.
ORGANIZES = (
    "save_organization", "delete_organization", "add_member", "add_named_member", "remove_member", "restore_member",
)  # fmt: skip
PERSONAL = {"draft.saved", "ticket.read", "ticket.subscribed", "notifications.read"}
Step = tuple[str, int, int, int]
numbers = st.integers(0, 15)
kinds = st.sampled_from([*STEPS, *HIDDEN, "note", "note", "note with files", "add_reply", "assign", "move"])
scripts = st.lists(st.tuples(kinds, numbers, st.integers(0, 4), numbers), min_size=5, max_size=10)
# One fixed run: every allowed action happens once, with notes in between.
STORY: list[Step] = [
    ("note", 0, 0, 0),
    ("note with files", 1, 0, 1),
    ("note with files", 0, 1, 1),
    ("noting", 1, 0, 0),
    ("upload", 0, 0, 0),
    ("draft", 0, 0, 1),
    ("draft", 1, 0, 0),
    ("mention", 0, 0, 0),
    ("follow", 0, 0, 1),
    ("profile", 0, 0, 1),
    ("send mails", 0, 0, 0),
    ("mention", 0, 0, 0),
    ("delete note", 0, 0, 0),
    ("add_reply", 0, 0, 2),
    ("add_reply", 1, 0, 0),
    ("typing", 0, 0, 0),
    ("read", 0, 0, 0),
    ("note", 0, 0, 0),
    ("read note", 0, 0, 0),
    ("noting", 0, 0, 3),
    ("names", 0, 0, 1),
    ("typing", 3, 0, 0),
    ("internal", 0, 1, 0),
    ("names", 0, 0, 2),
    ("assign", 4, 0, 3),
    ("note", 0, 0, 0),
    ("assign", 0, 0, 2),
    ("note", 0, 0, 0),
    ("move", 0, 0, 0),
    ("note", 2, 0, 0),
    ("send mails", 0, 0, 0),
    ("mention", 0, 0, 0),
    ("move", 0, 0, 1),
    ("prefer", 2, 3, 3),
    ("send mails", 2, 0, 1),
    ("change_status", 0, 0, 3),
    ("add_reply", 1, 0, 1),
    ("change_priority", 0, 0, 3),
    ("edit_subject", 0, 0, 7),
    ("add_reply", 0, 0, 1),
    ("edit_reply", 0, 1, 0),
    ("edit note", 0, 0, 0),
    ("edit note", 0, 1, 0),
    ("change_visibility", 0, 1, 0),
    ("send mails", 5, 0, 1),
    ("change_visibility", 0, 0, 1),
    ("open_ticket", 1, 0, 1),
    ("open_ticket_for", 1, 0, 0),
    ("add_participant", 0, 0, 1),
    ("note", 0, 0, 0),
    ("add_reply", 7, 0, 1),
    ("add_participant", 0, 1, 2),
    ("note with files", 0, 0, 1),
    ("remove_participant", 0, 0, 0),
    ("note", 0, 0, 0),
    ("add_reply", 0, 0, 1),
    ("add_named_participant", 0, 0, 0),
    ("add_member", 0, 0, 0),
    ("add_named_member", 0, 0, 1),
    ("save_organization", 0, 0, 3),
    ("note", 0, 0, 0),
    ("add_reply", 7, 0, 1),
    ("remove_member", 0, 0, 1),
    ("note", 0, 0, 0),
    ("restore_member", 0, 0, 1),
    ("delete_organization", 0, 0, 0),
    ("add_tag", 0, 0, 0),
    ("add_tag", 1, 0, 1),
    ("set_tags", 0, 0, 2),
    ("remove_tag", 0, 0, 0),
    ("save_tag", 0, 0, 0),
    ("delete_tag", 0, 0, 1),
    ("link_tickets", 0, 0, 0),
    ("unlink_tickets", 0, 0, 0),
    ("link_named_ticket", 0, 0, 0),
    ("merge_tickets", 0, 0, 0),
    ("undo_merge", 0, 0, 1),
    ("split_message", 0, 0, 0),
    ("set_snooze", 0, 0, 0),
    ("end_due_snooze", 0, 0, 0),
    ("set_snooze", 0, 0, 1),
    ("save_macro", 0, 0, 0),
    ("apply_macro", 0, 0, 0),
    ("add_reply", 7, 0, 1),
    ("note", 0, 2, 0),
    ("note with files", 0, 1, 0),
    ("mention", 0, 1, 0),
    ("delete note", 0, 8, 0),
    ("prefer", 5, 0, 4),
    ("send mails", 0, 0, 0),
    ("update_ticket", 0, 1, 3),
    ("unassign", 0, 0, 0),
    ("delete_reply", 0, 0, 0),
    ("delete_ticket", 0, 2, 1),
]


def leaks(words: Iterable[str], answers: Answers) -> list[str]:
    """Return the places of the words found. A URL that contains a word must be refused."""
    found = []
    for address, text in answers.items():
        found += [f"{word} at {address}" for word in words if word in text and not is_refused(address, word, text)]
    return found


def first_change(before: str, now: str) -> str:
    """Return the two texts from shortly before the place where they begin to differ."""
    differ = next((n for n, (one, other) in enumerate(zip(before, now, strict=False)) if one != other), 0)
    same = max(differ - 40, 0)
    return f"{before[same : same + 200]!r} became {now[same : same + 200]!r}"


def is_refused(address: str, word: str, text: str) -> bool:
    """Return whether the response refuses a URL that contains the word."""
    return word in address and text[:3] in ("302", "403", "404")


def whole(words: Iterable[str], text: str) -> list[str]:
    """Return the names that occur in a text, also JSON-escaped, but not within other words."""
    spelled = {word: f"{re.escape(word)}|{re.escape(json.dumps(word)[1:-1])}" for word in words}
    return [word for word, either in spelled.items() if re.search(rf"(?<!\w)(?:{either})(?!\w)", text)]


class Hunt:
    """A site, the sockets of all users, and the observers' responses before a hidden step."""

    def __init__(self) -> None:
        self.site = Site()
        mails.collect_for_summaries(self.site)
        self.summarized: dict[str, str] = defaultdict(str)  # all that a person's summaries said
        users = self.site.people
        self.sockets = Sockets(self.site, {name: session_cookie(user) for name, user in users.items()})
        self.readers = {name: Reader(self.site, name) for name in users}
        self.before: dict[str, Answers] | None = None
        self.cursors: list[str] = []
        self.pushed: set[str] = set()  # notes that a push message names to who was mentioned
        self.outcomes: dict[bool, list[str]] = {True: [], False: []}  # hidden steps, by whether they were refused
        self.seqs: dict[tuple[str, str], list[int]] = defaultdict(list)

    # -- Steps

    async def make(self, step: Step) -> None:
        """Run one step, collect what each user received, and compare the responses before and after."""
        kind, written = step[0], len(self.site.notes)
        await do(self.look_around, kind)
        asked = set(await do(self.site.asked, "bao"))
        done: Done = await do(perform, self.site, step)
        if done.whisper is not None:
            await self.sockets.whisper(*done.whisper)
        frames = await self.sockets.received()
        await do(self.check_mails)
        await do(self.check_frames, frames, self.site.notes[written:])
        await do(self.check_silence, step, done, frames, asked)
        self.check_reached(step, done, frames)
        if kind in ORGANIZES:
            self.seqs.clear()
            for ticket in await do(self.site.tickets):
                await self.sockets.subscribe_customers(ticket)
        if kind in CHANGES_ACCESS and done.ticket is not None:
            if "participant" in kind:  # who comes back has missed events
                self.seqs = defaultdict(
                    list, {key: seqs for key, seqs in self.seqs.items() if key[1] != done.ticket.channel}
                )
            await self.sockets.subscribe_to_ticket(await do(Ticket.objects.get, pk=done.ticket.pk))
        self.cursors.append(await do(history.current_cursor))

    def check_silence(self, step: Step, done: Done, frames: Frames, asked: set[Ticket]) -> None:
        """Check that no customer of the ticket, such as Bao, received a hidden event."""
        if not done.is_hidden:
            self.before = None
            return
        is_baos = done.ticket in asked & set(self.site.asked("bao"))
        assert noticed(frames, done.ticket, OBSERVERS if is_baos else CUSTOMERS) == [], step
        self.outcomes[done is REFUSED].append(step[0])

    def check_reached(self, step: Step, done: Done, frames: Frames) -> None:
        """Positive control: those that an event is for received it; a personal one only the person of the step."""
        received = {name: {frame["event"] for frame in frames[name]} for name in frames}
        wanted = [(event, name) for event, names in done.reaches.items() for name in names]
        assert [(event, name) for event, name in wanted if event not in received[name]] == [], step
        assert len([name for name in received if received[name] & PERSONAL]) <= 1, step

    def look_around(self, kind: str) -> None:
        """Check that observers get unchanged responses, and record new ones before a step that may be hidden."""
        if self.before is not None and kind in HIDDEN:
            return
        self.compare()
        may_hide = kind in HIDDEN or (kind in SOMETIMES_HIDDEN and self.site.has_masks())
        self.before = self.look() if may_hide else None

    def look(self) -> dict[str, Answers]:
        return {name: self.readers[name].core() for name in OBSERVERS}

    def compare(self) -> None:
        """Check that no response to an observer changed since the last recording."""
        if self.before is None:
            return
        for name, now in self.look().items():
            before = self.before[name]
            differ = [address for address in before.keys() & now.keys() if before[address] != now[address]]
            assert not differ, [
                f"{name} at {address}: {first_change(before[address], now[address])}" for address in differ
            ]

    def check_frames(self, frames: Frames, written: list[Note]) -> None:
        """Check that no unauthorized user received a note, and that staff received each one."""
        texts = {name: json.dumps(received, ensure_ascii=False) for name, received in frames.items()}
        for name, text in texts.items():
            assert leaks(self.site.secrets(name), {f"frames of {name}": text}) == []
        for name in CUSTOMERS:
            assert whole(self.site.masked(name), texts[name]) == [], frames[name]
            self.count(name, frames[name])
        for note in written:
            assert [name for name in self.site.staff(note.ticket) if note.mark not in texts[name]] == []

    def count(self, name: str, frames: list[dict[str, Any]]) -> None:
        """Check that a customer's sequence numbers have no gap."""
        for frame in frames:
            if frame["event"].startswith("ticket.") and "seq" in frame["data"] and "tickets" in frame["channel"]:
                received = self.seqs[name, frame["channel"]]
                assert not received or frame["data"]["seq"] == received[-1] + 1, frame
                received.append(frame["data"]["seq"])

    def check_mails(self) -> None:
        """Check that the mails just sent reveal nothing that their recipients may not read now; forget them."""
        names = {user.email: name for name, user in self.site.people.items()}
        gone = [*self.site.deleted, *(note.mark for note in self.site.notes if note.is_gone)]
        for number, message in enumerate(mail.outbox):
            [address] = message.recipients()
            name, text = names[address], mails.text_of(message)
            assert leaks([*self.site.secrets(name), *gone], {f"mail {number} to {name}": text}) == []
            if name in CUSTOMERS:
                self.check_names(name, {f"mail {number}": text})
            if mails.is_summary(message):
                self.summarized[name] += text
        mail.outbox.clear()

    # -- Final checks

    def finish(self) -> None:
        """Collect everything that each user can request."""
        run_all_jobs()
        self.check_mails()
        self.compare()
        for name in OBSERVERS:
            self.check_observer(name)
        for name in self.site.people:
            if name not in CUSTOMERS:
                self.check_staff(name)

    def check_observer(self, name: str) -> None:
        """Check that no response to an unauthorized user contains anything of a note."""
        reader, secrets = self.readers[name], self.site.secrets(name)
        answers = reader.everything(self.cursors)
        gone = [note.mark for note in self.site.notes if note.is_gone]
        assert leaks([*secrets, *gone], answers) == []
        if name in CUSTOMERS:
            self.check_names(name, answers)
        assert list(reader.found_by(reader.searched())) == []
        for ticket in self.site.asked(name):
            self.check_counts(name, ticket, answers)

    def check_names(self, name: str, answers: Answers) -> None:
        masked = self.site.masked(name)
        for address, text in answers.items():
            found = [word for word in whole(masked, text) if word not in address]
            assert not found, (address, found, text)

    def check_counts(self, name: str, ticket: Ticket, answers: Answers) -> None:
        """Check that customers receive all public replies in order, and that no number reveals more."""
        public = ticket.replies.filter(is_internal=False).order_by("number")
        assert self.readers[name].replies(ticket) == list(public.values_list("pk", flat=True))
        history_events = "".join(answers.values())
        assert [
            mark for mark, reply in self.site.said.items() if reply.ticket == ticket and mark not in history_events
        ] == []
        path = f"/api/v1/tickets/{ticket.uuid}/"
        lines = list(self.readers[name].rows(f"{path}timeline/?size=9"))
        assert len(lines) == ticket.timeline.filter(audience="public").count()
        events = [event["data"] for event in self.readers[name].history_events(self.site.start)]
        seqs = [
            data["seq"] for data in events if data.get("ticket", {}).get("uuid") == str(ticket.uuid) and "seq" in data
        ]
        last = self.readers[name].ask(path).json()["seq"]
        assert seqs == list(range(last - len(seqs) + 1, last + 1))
        assert len(seqs) == last or self.site.start != self.site.begin

    def check_staff(self, name: str) -> None:
        """Positive control: authorized users find every note in the history, the API and the pages."""
        reader, notes = self.readers[name], self.site.notes_for(name)
        history_events = {"history": json.dumps(reader.history_events(self.site.start))}
        gone = [note.mark for note in self.site.notes if note.is_gone]
        assert leaks([*self.site.secrets(name), *gone], history_events) == []
        late = [note.mark for note in self.site.notes[self.site.closed :] if note in notes]
        assert len(leaks(late, history_events)) == len(late)
        self.check_mentions(name, reader.notifications(), [*self.site.secrets(name), *gone])
        self.check_drafts(name)
        for ticket in {note.ticket for note in notes}:
            answers = reader.answers([ticket.get_absolute_url(), f"/api/v1/tickets/{ticket.uuid}/replies/"])
            marks = [note.mark for note in notes if note.ticket == ticket]
            assert len(leaks(marks, answers)) == 2 * len(marks)

    def check_mentions(self, name: str, answers: Answers, secrets: list[str]) -> None:
        """Check that notifications and push messages reveal no other notes, and name those with a mention."""
        assert leaks(secrets, answers) == []
        pushed = "".join(text for address, text in answers.items() if address.startswith("push"))
        for user, note in self.site.mentions:
            if user != name or note not in self.site.notes_for(name):
                continue
            assert str(note.reply.pk) in answers["/api/v1/notifications/?size=100"]
            mine = Notification.objects.filter(user=self.site.people[name], reply=note.reply, kind="mention")
            if name in PUSHED and mine.get().read_at is None:
                assert str(note.reply.pk) in pushed
                self.pushed.add(note.mark)

    def check_drafts(self, name: str) -> None:
        """Check that staff find their own drafts and no others."""
        for (author, pk), mark in self.site.drafts.items():
            for ticket in self.site.of_staff(name):
                if ticket.pk == pk:
                    answer = self.readers[name].answer(f"{ticket.get_absolute_url()}draft/")
                    assert (mark in answer) == (author == name), (author, name)


def fresh_site() -> Hunt:
    channel_layers.backends.clear()
    call_command("flush", interactive=False, verbosity=0)
    mail.outbox.clear()
    pushes.service.received.clear()
    clear_settings_cache()
    return Hunt()


@pytest.fixture
def _stage(settings: Settings, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if not each.startswith("tests.")]
    monkeypatch.setattr(tracker, "RECONNECT_GRACE", 0)
    monkeypatch.setattr(sending, "_post", pushes.service.post)
    monkeypatch.setattr(rate_limits, "allowed", lambda *_who, **_cost: True)
    monkeypatch.setattr(limits, "CLIENT_EVENT_RATE", 10_000)
    monkeypatch.setattr(limits, "MESSAGE_BURST", 10_000)


@pytest.mark.usefixtures("_stage")
def test_no_unauthorized_user_learns_of_a_note() -> None:
    asked: set[str] = set()

    @HUNTED
    @example(STORY)
    @given(scripts)
    def hunt(steps: list[Step]) -> None:
        here = fresh_site()
        async_to_sync(play)(here, steps)
        asked.update(*(reader.routes for reader in here.readers.values()))
        if steps == STORY:
            assert here.outcomes[True] == []
            assert {*HIDDEN, "assign", "move"} <= set(here.outcomes[False])
            assert here.pushed
            # Positive control: summaries have public replies, and notes for staff alone.
            assert "limelight" in here.summarized["casey"]
            assert {name for name, text in here.summarized.items() if "kryptonite" in text} >= {"dana", "emil"}
            for name in ("casey", "bao"):
                assert here.readers[name].searched()

    hunt()
    # A URL that the hunt does not know fails the test.
    assert {route for route in routes(get_resolver()) if not ELSEWHERE.match(route)} <= asked


async def play(hunt: Hunt, steps: list[Step]) -> None:
    """Run the hunt on its own event loop and hub."""
    try:
        await hunt.sockets.open()
        await hunt.sockets.received()
        for step in steps:
            await hunt.make(step)
        await do(hunt.finish)
        await hunt.sockets.close()
    finally:
        await hub.here().close()


# URLs that the hunt does not request


def test_every_service_is_covered_by_the_leak_hunt() -> None:
    names = {
        name
        for module in (services, participants, organizations, tags, snooze, links, macros, merging, splitting)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith(("_", "can_", "requester_"))
    }
    assert names == SERVICES.keys()
    assert {kind for kind, *_ in STORY} == STEPS.keys()


def test_every_list_parameter_is_covered_by_the_leak_hunt() -> None:
    assert {parameter.name for parameter in LIST_PARAMETERS} == PARAMETERS.keys()


# URLs without ticket data: anonymous ones, those signed with the app's secret, and those about the user or their own
# new objects. The admin pages of tickets are requested separately.
ELSEWHERE = re.compile(
    r"csp-reports/|modules.js|favicon|robots|\.well-known|up$|apps/|users/|login/|sso/|register/|logout/|inactive/|reauthenticate/|session/|settings/|(api/v1/)?invitations/|\^?password/|\^?email/|admin/|static/"
    r"|profile/(two-step|password|data|mails)|(api/v1/)?notifications/(read|push|preferences)/|sw\.js|mails/(off|leave|received)/|dev/mail/|profile/.*(end|revoke)/|broadcasting/user-auth|tickets/(bulk|bulk/undo|layout)/|tickets/saved-replies/.*used/|tickets/<uuid:uuid>/unread/|files/$"
    r"|api/(schema|docs)/|\^api/|api/v1/auth/token/<|api/v1/attachments/$"
)


def routes(resolver: Any, before: str = "") -> Iterator[str]:
    """Yield the pattern of every URL."""
    for entry in resolver.url_patterns:
        here = before + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from routes(entry, here)
        else:
            yield here
