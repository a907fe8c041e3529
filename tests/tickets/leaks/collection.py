"""Everything that a user can request from the site, without random parts of the responses."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.test import Client
from django.urls import resolve

from realtime.broadcasting import history
from tests.support.api_client import API, ApiClient
from tests.support.jobs import run_all_jobs
from tests.tickets.leaks import pushes
from tests.tickets.leaks.site import OBSERVERS, Note, Site
from tickets.forms.filters import SORTS
from tickets.models import Ticket

Answers = dict[str, str]

SEALED = re.compile(r"gAAAA[\w%=-]+")
BELL = re.compile(r"<notification-bell.*?</notification-bell>", re.DOTALL)
RANDOM = [
    re.compile(r'(?<=name="csrfmiddlewaretoken" value=")\w+'),
    re.compile(r'(?<=name="csrf-token" content=")\w+'),
    re.compile(r'(?<=name="key" value=")[\w-]+'),
    re.compile(r'(?<="now": ")[\w:.-]+'),
    re.compile(r"""(?<=nonce="|'nonce-)[\w+/=-]+"""),
]
# Headers with times or random values.
OWN_HEADERS = {"Set-Cookie", "Expires", "X-Request-ID"}

# Values for each parameter of the list.
PARAMETERS: dict[str, list[str]] = {
    "q": ["Charged", "Chair"],
    "search": ["Charged"],
    "status": ["active", "closed", "all", "waiting", "unread", "snoozed"],
    "priority": ["2"],
    "office": ["1", "3"],
    "assignee": ["me", "none"],
    "tag": ["1", "quartz"],
    "customer": ["e"],
    "created_from": ["2020-01-01"],
    "created_to": ["2900-01-01"],
    "updated_from": ["2020-01-01"],
    "updated_to": ["2020-01-01"],
    "sort": [name for name, _label in SORTS],
    "after": ["x"],
    "before": ["x"],
    "size": ["1"],
}
PAGES = [
    "/", "/tickets/", "/tickets/new/", "/tickets/new/draft/", "/tickets/counts/", "/tickets/unread/",
    "/tickets/tags/", "/notifications/", "/reports/?by=agent", "/reports/report.csv?by=tag",
    "/tickets/palette.css", "/profile/",
    "/profile/sign-ins/", "/profile/email/", "/profile/tokens/", "/session/",
]  # fmt: skip
LOOKUPS = [
    "me/",
    "notifications/",
    "offices/",
    "statuses/",
    "priorities/",
    "assignees/",
    "tags/",
    "auth/token/",
    "views/",
    "customers/?q=e",
]
GUESSED = (
    "earlier/",
    "original/",
    "mail/",
    "draft/",
    "read.gif",
    "saved-replies/",
    "macros/",
    "macro/",
    "colleagues/",
    "receipts/",
    "links/",
    "merges/",
    "split/",
    "splits/",
    "messages/",
)
MOST = 4  # notes at which each onlooker guesses
PUSHED = (*OBSERVERS, "ada")  # who have a browser that receives push messages


def cleaned(text: str) -> str:
    """Return a response without random parts; of encrypted parts the length remains."""
    for pattern in RANDOM:
        text = pattern.sub("", text)
    return SEALED.sub(lambda match: f"<sealed {len(match[0])}>", text)


class Reader:
    """The browser and the API client of one user."""

    def __init__(self, site: Site, name: str) -> None:
        self.site, self.name, self.user = site, name, site.people[name]
        self.browser, self.program = Client(raise_request_exception=False), ApiClient(self.user)
        self.browser.force_login(self.user)
        self.routes: set[str] = set()
        if name in PUSHED:
            assert self.ask("/notifications/push/", "POST", pushes.subscription(name)).status_code == 204

    # -- Requests

    def ask(self, address: str, method: str = "GET", body: Any = None) -> Any:
        """Request a page with the session, or the API with the token."""
        self.routes.add(resolve(address.partition("?")[0]).route)
        if address.startswith("/api/"):
            return self.program.ask(method, address, body)
        sent = {"data": body, "HTTP_ACCEPT": "application/json"} if method == "POST" else {}
        return getattr(self.browser, method.lower())(address, **sent)

    def answer(self, address: str, method: str = "GET", body: Any = None) -> str:
        """Return status, headers and content of a response as one text."""
        response = self.ask(address, method, body)
        assert response.status_code < 500, address
        content = b"".join(response.streaming_content) if response.streaming else response.content
        response.close()
        headers = [f"{name}: {value}" for name, value in response.items() if name not in OWN_HEADERS]
        return cleaned("\n".join([str(response.status_code), *headers, content.decode(errors="replace")]))

    def answers(self, addresses: Iterable[str]) -> Answers:
        return {address: self.answer(address) for address in addresses}

    # -- Responses

    def core(self) -> Answers:
        """Return the customer's responses that are compared before and after a hidden step."""
        tickets = self.site.asked(self.name)
        addresses = [address for ticket in tickets for address in self.of_ticket(ticket)]
        if tickets and self.user.is_customer:
            addresses += ["/tickets/?status=all", "/tickets/counts/", "/tickets/unread/"]
            addresses += ["/notifications/latest/", "/notifications/count/"]
        elif tickets:
            addresses.append(f"{API}/tickets/?{urlencode({'q': tickets[0].subject, 'status': 'all'})}")
        answers = self.answers(addresses)
        if not self.user.is_customer:  # the bell counts what staff elsewhere are notified of there
            answers = {address: BELL.sub("", text) for address, text in answers.items()}
        return answers | {"history": self.history() if tickets else ""}

    def of_ticket(self, ticket: Ticket) -> list[str]:
        """Return the URLs of a ticket that the user may open."""
        whole = f"{API}/tickets/{ticket.uuid}/"
        page = ticket.get_absolute_url()
        pages = [
            page,
            f"{page}earlier/",
            f"{page}original/",
            f"{page}draft/",
            f"{page}receipts/",
            f"/tickets/rows/?ticket={ticket.uuid}",
        ]
        return [*pages, whole, f"{whole}replies/", f"{whole}timeline/", f"{whole}participants/", f"{whole}receipts/"]

    def history(self) -> str:
        """Return the history since its start for the user's own requests."""
        tickets = self.site.asked(self.name)
        channels = [("channel", each.channel) for each in (self.user, *tickets)]
        answer = self.ask(f"/broadcasting/history?{urlencode([*channels, ('since', self.site.start)])}").json()
        uuids = {str(ticket.uuid) for ticket in tickets}
        events = [event for event in answer["events"] if self.is_visible(event, uuids)]
        return json.dumps({**answer, "events": events, "cursor": len(answer["cursor"])})

    def is_visible(self, event: dict[str, Any], tickets: set[str]) -> bool:
        """Return whether a customer receives an event; staff elsewhere receive only events of their requests."""
        return self.user.is_customer or event["data"].get("ticket", {}).get("uuid") in tickets

    def everything(self, cursors: Iterable[str]) -> Answers:
        """Return every response: to own objects, to foreign ones and to forbidden actions."""
        answers = self.core() | {f"since {number}": self.since(cursor) for number, cursor in enumerate(cursors)}
        answers |= self.answers(self.foreign_urls()) | self.attempts() | self.notifications()
        if self.user.is_customer and self.site.asked(self.name):
            answers |= self.answers([*PAGES, *(f"{API}/{path}" for path in LOOKUPS), *self.lists()])
        return answers

    def since(self, cursor: str) -> str:
        return json.dumps(self.history_events(cursor))

    def lists(self) -> Iterator[str]:
        """Yield the list's URLs with each parameter; pages ignore what the API rejects."""
        for name, values in PARAMETERS.items():
            for value in values:
                yield f"{API}/tickets/?{urlencode({name: value})}"
        for note in self.hidden()[:1]:
            yield f"/tickets/?q={note.mark[:-3]}&status=all&sort=updated"

    def hidden(self) -> list[Note]:
        """Return a limited number of notes that the user may not read, own tickets first."""
        near = self.site.notes_near(self.name)
        notes = [note for note in self.site.notes if note not in near]
        asked = self.site.asked(self.name)
        return sorted(notes, key=lambda note: (note.ticket not in asked, not note.files))[:MOST]

    def foreign_urls(self) -> Iterator[str]:
        """Yield URLs that a user would have to guess: of tickets, notes, files and users."""
        notes = self.hidden()
        for ticket in {note.ticket for note in notes}:
            yield from (
                f"{API}/tickets/{ticket.uuid}/{part}" for part in ("", "replies/", "timeline/", "links/", "merge/")
            )
            yield from (f"/tickets/{ticket.uuid}/{part}" for part in GUESSED)
            yield f"/tickets/rows/?ticket={ticket.uuid}"
            yield f"/tickets/found/?q=charged&ticket={ticket.uuid}"
            yield from (f"/admin/tickets/ticket/{ticket.pk}/{what}/" for what in ("change", "history"))
        for note in notes:
            yield f"{API}/tickets/{note.ticket.uuid}/replies/{note.reply.pk}/"
            yield f"/tickets/{note.ticket.uuid}/replies/{note.reply.pk}/"
            yield from (
                f"/tickets/{note.ticket.uuid}/replies/{note.reply.pk}/{part}/"
                for part in ("original", "mail", "edit", "versions")
            )
        for file in [file.pk for note in notes for file in note.files]:
            yield from (f"{API}/attachments/{file}/", f"{API}/attachments/{file}/content/")
            yield from (f"/files/{file}/", f"/files/{file}/view/")
        yield from (f"/people/{self.site.cast.casey.pk}/{part}" for part in ("", "notes/"))
        yield from (f"{API}/customers/{self.site.cast.casey.pk}/{part}" for part in ("", "notes/"))
        yield from (f"{API}/people/{part}" for part in ("", f"{self.site.cast.casey.pk}/"))
        yield from (f"{API}/organizations/{part}" for part in ("", "1/", "1/members/"))
        yield f"{API}/views/1/"
        yield "/avatars/masked.svg?letters=S"
        yield from (f"/avatars/{user.pk}.svg" for user in (self.site.noor, self.site.cast.dana))
        yield from (f"/admin/tickets/{what}/" for what in ("ticket", "reply", "attachment", "timelineentry"))

    def attempts(self) -> Answers:
        """Return the refusals of staff actions; they must reveal nothing."""
        asked = self.site.asked(self.name)
        note = next((note for note in self.hidden() if note.ticket in asked), None)
        return {} if note is None else {str(sent): self.refused(*sent) for sent in self.attempts_at(note)}

    def attempts_at(self, note: Note) -> Iterator[tuple[str, str, Any]]:
        files = [str(file.pk) for file in note.files]
        with_files = {"message": "Mine", "attachments": [*files, str(uuid4())]}
        yield from self._attempts_by_api(note, with_files)
        yield from self._attempts_on_pages(note, with_files)
        yield from (("POST", f"/files/{file}/discard/", {}) for file in files)
        yield "POST", "/broadcasting/auth", {"socket_id": "1.1", "channel_name": note.ticket.presence_channel}

    def _attempts_by_api(self, note: Note, with_files: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
        path = f"{API}/tickets/{note.ticket.uuid}/"
        yield "POST", f"{path}replies/", with_files
        yield "POST", f"{path}replies/", {"message": "Mine", "is_internal": True}
        yield "PATCH", path, {"status": "Closed"}
        yield "PATCH", f"{path}subscription/", {"level": "followed"}
        yield "POST", f"{path}participants/", {"person": "stranger@example.com"}
        yield "PATCH", path, {"tags": ["quartz"]}
        yield "POST", f"{path}merge/", {"into": note.ticket.reference}
        yield "DELETE", f"{path}merge/", {}
        yield "POST", f"{path}split/", {"reply": str(note.reply.pk), "subject": "Mine"}
        yield "POST", f"{path}links/", {"ticket": note.ticket.reference}
        yield "DELETE", f"{path}links/{uuid4()}/", {}
        yield "PATCH", path, {"snoozed_until": None}
        yield "DELETE", f"{API}/tags/1/", {}
        yield "DELETE", f"{path}participants/{uuid4()}/", {}
        yield "POST", f"{path}read/", {"up_to": str(note.reply.pk)}
        yield "POST", f"{path}delivered/", {"reply": str(note.reply.pk)}
        yield "PATCH", f"{path}replies/{note.reply.pk}/", {"is_internal": False}
        yield "PATCH", f"{path}replies/{note.reply.pk}/", {"message": "Mine"}
        yield "DELETE", f"{API}/customers/{note.ticket.creator_id}/notes/{self.site.private.pk}/", {}
        yield "PATCH", f"{API}/people/{note.reply.author_id}/", {"is_active": False}
        yield "DELETE", f"{API}/organizations/1/members/{note.ticket.creator_id}/", {}

    def _attempts_on_pages(self, note: Note, with_files: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
        page = f"/tickets/{note.ticket.uuid}/"
        yield "POST", f"{page}tags/", {"tag": "quartz"}
        yield "POST", f"{page}tags/remove/", {"tag": "1"}
        for kind in ("add", "remove"):
            yield "POST", f"{page}links/{kind}/", {"ticket": str(note.ticket.uuid)}
        yield "POST", f"{page}merges/undo/", {"ticket": str(note.ticket.uuid)}
        yield "POST", "/tickets/merge/", {"tickets": str(note.ticket.uuid), "confirmed": "on"}
        yield "POST", f"{page}split/?reply={note.reply.pk}", {"subject": "Mine"}
        yield "POST", f"{page}snooze/", {"name": "later"}
        yield "POST", f"{page}macro/", {"macro": "1"}
        yield "POST", f"{page}participants/", {"person": "stranger@example.com"}
        yield "POST", f"{page}participants/remove/", {"person": str(note.reply.author_id)}
        yield "POST", f"{page}replies/", with_files
        yield "POST", f"{page}read/", {"reply": str(note.reply.pk)}
        yield "POST", f"{page}delivered/", {"reply": str(note.reply.pk)}
        yield "POST", f"{page}change/", {"status": "1"}
        yield "POST", f"{page}subscription/", {"level": "followed"}
        yield "POST", f"{page}visibility/", {"reply": str(note.reply.pk), "visibility": "public"}
        yield "POST", f"{page}replies/{note.reply.pk}/edit/", {"message": "Mine"}
        yield "POST", f"/people/{note.ticket.creator_id}/notes/{self.site.private.pk}/delete/", {}

    def refused(self, method: str, address: str, body: Any) -> str:
        """Return a refusal without the ids of the request."""
        answer = self.answer(address, method, body)
        assert answer.startswith("4"), (address, answer)
        sent = body.get("attachments", [])
        return re.sub("|".join(sent), "", answer) if sent else answer

    def notifications(self) -> Answers:
        """Return what the bell lists, and what the user's browser received from its push service."""
        for _round in range(2):  # an event's job enqueues those of its messages
            run_all_jobs()
        received = pushes.service.received.get(self.name, [])
        lists = [f"{API}/notifications/?size=100", f"{API}/notifications/?group=ticket&size=100"]
        listed = self.answers(["/notifications/latest/", *lists])
        return listed | {f"push {number}": text for number, text in enumerate(received)}

    # -- Search

    def found_by(self, words: Iterable[str]) -> Iterator[str]:
        """Yield the words whose search result differs from that of an unused word."""
        for word in words:
            if self.search(word) != self.search(word[::-1]):
                yield word

    def searched(self) -> list[str]:
        """Return the words to search for: text and file names of notes on own tickets, and note authors."""
        asked = self.site.asked(self.name)
        marks = [note.mark for note in self.hidden() if note.ticket in asked and not note.is_gone]
        scribe = ["Quill"] if self.user.is_customer else []
        return [*marks[:1], *(f"{mark}-name" for mark in marks[:1]), *scribe]

    def search(self, word: str) -> str:
        query = urlencode({"q": word, "status": "all"})
        return re.sub(re.escape(word), "", self.answer(f"{API}/tickets/?{query}"), flags=re.IGNORECASE)

    # -- Conversation and events

    def replies(self, ticket: Ticket) -> list[UUID]:
        """Return the ids in the order of the conversation, page by page."""
        return [UUID(row["id"]) for row in self.rows(f"{API}/tickets/{ticket.uuid}/replies/?size=5")]

    def rows(self, address: str | None) -> Iterator[dict[str, Any]]:
        while address:
            page = self.ask(address).json()
            yield from page["results"]
            address = (page["next"] or "").removeprefix("http://testserver")

    def history_events(self, cursor: str) -> list[dict[str, Any]]:
        """Return the events in the history, on all of the user's tickets."""
        tickets = [*self.site.of_staff(self.name), *self.site.asked(self.name)]
        channels = [self.user.channel, *(ticket.channel for ticket in tickets)]
        return history.read(self.user, channels[:20], cursor).events
