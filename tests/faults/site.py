"""The site of the fault run, in processes of its own: `python -m tests.faults.site prepare|end|truth`.

Each prints JSON: the users and tickets; nothing; what each audience of each ticket must see in the end.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any

import django

SUBJECTS = ("Charged twice", "No invoice", "Wrong size", "It never came")
CROWD = 20  # agents of Billing, so that no user has too many pages


def prepare() -> dict[str, Any]:
    """Create the cast and many agents, open tickets, and sign all users in."""
    from tests.support import cast, sockets
    from tests.support.api_client import ApiClient
    from tickets import services

    desk = cast.create_cast()
    askers = [(desk.casey, desk.billing), (desk.greta, desk.billing), (desk.casey, desk.orders)]
    tickets = [desk.ticket]
    for subject, (person, office) in zip(SUBJECTS[1:], askers[1:] + askers[:1], strict=True):
        tickets.append(services.open_ticket(by=person, subject=subject, content="Look.", office=office))
    people = {name: getattr(desk, name) for name in ("ada", "bao", "dana", "emil", "casey", "greta")}
    people |= {agent.email.partition("@")[0]: agent for agent in _crowd(desk.billing)}
    return {
        "sessions": {name: sockets.session_cookie(person) for name, person in people.items()},
        "ids": {name: str(person.pk) for name, person in people.items()},
        "token": ApiClient(desk.ada).token,
        "tickets": [str(ticket.uuid) for ticket in tickets],
    }


def _crowd(office: Any) -> list[Any]:
    from accounts.models import User

    agents = [
        User(email=f"agent{n}@example.com", password="!", name=f"Agent {n}", role=User.Role.AGENT)
        for n in range(CROWD)
    ]
    User.objects.bulk_create(agents)
    office.agents.add(*agents)
    return agents


def end() -> None:
    """Change every ticket once more, so that nothing can be missing unnoticed at the end."""
    from accounts.models import User
    from tickets import services
    from tickets.models import Ticket

    ada = User.objects.get(email="ada@example.com")
    for ticket in Ticket.objects.all():
        services.update_ticket(
            ticket, by=ada, values={"subject": f"The end of {ticket.reference} at {ticket.version}"}
        )


def truth() -> dict[str, Any]:
    """Return the expected content per ticket and audience, each user's audience, and the replies by key."""
    from accounts.models import User
    from tickets.models import IdempotencyKey, Reply, Ticket

    seen: dict[str, dict[str, Any]] = {}
    access: dict[str, dict[str, str]] = {}
    for ticket in Ticket.objects.select_related(*Ticket.RELATED):
        seen[str(ticket.uuid)], access[str(ticket.uuid)] = _seen(ticket, User.objects.filter(is_active=True))
    return {
        "seen": seen,
        "access": access,
        "made": {row.key: Reply.objects.filter(pk=row.result_id).count() for row in IdempotencyKey.objects.all()},
        "messages": list(Reply.objects.filter(message__startswith="By key ").values_list("message", flat=True)),
    }


def _seen(ticket: Any, people: Iterable[Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what each audience sees of a ticket, and its users."""
    from tickets import policies

    audiences = {person: policies.audience_of(person, ticket) for person in people}
    readers = {audience: person for person, audience in audiences.items() if audience is not None}
    access = {str(person.pk): audience.value for person, audience in audiences.items() if audience is not None}
    return {audience.value: _seen_by(person, ticket, audience) for audience, person in readers.items()}, access


def _seen_by(person: Any, ticket: Any, audience: Any) -> dict[str, Any]:
    from tickets import payloads, policies

    brief = payloads.ticket_payload(ticket, audience)
    replies = [payloads.reply_payload(reply, audience) for reply in policies.visible_replies(person, ticket)]
    return {
        "facts": {
            **{name: brief[name] for name in ("subject", "status", "priority", "updated_at")},
            "assigned_to": brief["assigned_to"] and brief["assigned_to"]["name"],
        },
        "replies": [[reply["id"], str(reply["message_html"])] for reply in replies],
        "timeline": [line.action for line in policies.visible_timeline(person, ticket)],
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps({"prepare": prepare, "end": end, "truth": truth}[sys.argv[1]]()))  # noqa: T201
