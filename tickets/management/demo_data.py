"""Demo data: offices, users and tickets, created through the services."""

import os
from datetime import datetime, timedelta
from random import Random

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import email_addresses
from accounts.models import Office, User
from realtime import Audience
from realtime.models import Broadcast
from tickets import reading, services
from tickets.macros.services import save_macro
from tickets.models import (
    Macro,
    Notification,
    NotificationKind,
    Priority,
    Reply,
    Status,
    Tag,
    TagColor,
    Ticket,
    TimelineEntry,
)

Action = TimelineEntry.Action

PASSWORD = "password"  # noqa: S105  (demo data requires DEBUG)

OFFICES = [
    ("Billing", "Invoices, refunds and contracts", False),
    ("Technical Support", "Errors and technical questions", False),
    ("Orders & Delivery", "Order status, delivery and returns", False),
    ("Fraud Desk", "Investigates suspicious orders", True),
]
USERS = [
    ("admin@example.com", "Ada Admin", "admin", []),
    ("agent@example.com", "Bao Nguyen", "agent", ["Billing", "Technical Support"]),
    ("customer@example.com", "Casey Rivers", "customer", []),
    ("dana@example.com", "Dana Okafor", "agent", ["Technical Support"]),
    ("emil@example.com", "Emil Sørensen", "agent", ["Orders & Delivery"]),
    ("fatima@example.com", "Fatima Zahra", "agent", ["Orders & Delivery", "Fraud Desk"]),
    ("greta@example.com", "Greta Lindqvist", "customer", []),
    ("hiro@example.com", "Hiro Tanaka 田中", "customer", []),
    ("ines@example.com", "Inês Carvalho", "customer", []),
    ("jamal@example.com", "Jamal Brown", "customer", []),
    ("katya@example.com", "Катя Иванова", "customer", []),
    ("liam@example.com", "Liam O’Connor", "customer", []),
]
TOPICS: dict[str, list[tuple[str, str]]] = {
    "Billing": [
        (
            "Charged twice for {month}",
            "Hi, my card was charged **twice** for {month}. Could you refund one of the charges?",
        ),
        (
            "VAT ID missing on invoice {number}",
            "Our accountant needs our VAT ID, `DE811234567`, on invoice {number}. Could you send a corrected one?",
        ),
        ("Change of billing address", "We've moved. Our new billing address is:\n\n> Harbour Street 12\n> Lisbon"),
        (
            "Cancel my plan at the end of {month}",
            "I'd like to cancel my plan at the end of {month}. What happens to my data?",
        ),
    ],
    "Technical Support": [
        (
            "Can't sign in since the update",
            "Since the update I only get `Error 403`.\n\n1. Open the app\n2. Sign in\n3. The error appears",
        ),
        ("Export stops at {number} rows", "The CSV export stops at {number} rows without an error message 😕"),
        ("Label printer not found", "The label printer worked yesterday. Today the app says *No device found*."),
        ("App is slow in the afternoon", "From about 3 pm, every click takes ten seconds. It's fine in the morning."),
    ],
    "Orders & Delivery": [
        ("Where is order {number}?", "Order {number} was due on Monday. The tracking page hasn't updated since."),
        (
            "Wrong size in order {number}",
            "I ordered a *medium* and received an *extra large*. How do I exchange it?",
        ),
        ("Parcel arrived damaged", "The box was open and one cup is broken. I can send photos."),
        ("Deliver to my neighbour", "I won't be home on {month} 3rd. Can you deliver to number 14 instead?"),
    ],
}
# Texts of macros.
REFUNDED = (
    "Hi {{customer.first_name}},\n\nwe have refunded the charge. It is on your account within five working days."
    "\n\nBest regards\n{{agent}}"
)
SUSPICIOUS = "Looks suspicious: please check the payment before we answer."
AGENT_REPLIES = [
    "Thanks for getting in touch. I'm looking into it now.",
    "Found it: this was our mistake. We'll **fix it within two days**.",
    "Could you send me the reference on the last page? It starts with `R-`.",
    "Done ✅ Please take a look, and let me know if anything is still wrong.",
]
CUSTOMER_REPLIES = [
    "That was quick, thanks!",
    "Unfortunately it's still happening.",
    "Perfect 🙏",
    "The reference is `R-20418`.",
]
NOTES = [
    "Third case this week. I've let the platform team know.",
    "Customer is on the old plan, so let's be generous.",
    "Refund approved by Ada.",
]
MONTHS = ["August", "September", "October", "November"]


@transaction.atomic
def create_demo_data(random: Random, *, tickets: int) -> None:
    """Create offices, users and tickets with activity in the last three weeks."""
    offices = {
        name: Office.objects.create(name=name, description=text, is_internal=internal)
        for name, text, internal in OFFICES
    }
    password = make_password(PASSWORD)  # hash once: it is slow on purpose
    for email, name, role, offices_of_user in USERS:
        user = User.objects.create(email=email, password=password, name=name, role=role)
        email_addresses.mark_verified(user)
        user.offices.set(offices[office] for office in offices_of_user)
    now = timezone.now()
    moments = sorted(now - timedelta(minutes=random.triangular(30, 30_000, 30)) for _ in range(tickets))
    for moment in moments:
        _create_ticket_history(random, moment, now)
    _save_macros(offices)
    _backdate_notifications(now)
    # No client was connected: the log can start empty.
    Broadcast.objects.all().delete()


def _save_macros(offices: dict[str, Office]) -> None:
    """Save a macro of Billing, and one for all staff."""
    admin = User.objects.filter(role=User.Role.ADMIN).earliest("pk")
    refund = Tag.objects.get_or_create(name="refund", defaults={"color": TagColor.GREEN})[0]
    closed, high = Status.closing(), Priority.objects.get(name="High")
    refunded = {"status": closed and closed.pk, "add_tags": [refund.pk], "reply": REFUNDED}
    passed_on = {"priority": high.pk, "office": offices["Fraud Desk"].pk, "follow": True, "note": SUSPICIOUS}
    save_macro(Macro(name="Refunded, close", office=offices["Billing"], actions=refunded), by=admin)
    save_macro(Macro(name="Pass on to the Fraud Desk", actions=passed_on), by=admin)


def welcome() -> str:
    """Return the URL and three accounts to sign in with."""
    port = os.environ.get("PORT", "8000")
    rows = [("Email", "Password", "Role"), *((email, PASSWORD, role) for email, _, role, _ in USERS[:3])]
    entries = [f"  {email:<22} {password:<10} {role}" for email, password, role in rows]
    return "\n".join(["", f"TIKM is at http://127.0.0.1:{port}", "", "Sign in with:", *entries, ""])


def _create_ticket_history(random: Random, moment: datetime, now: datetime) -> None:
    """Create one ticket with its conversation, starting at `moment`."""
    ticket = _open_ticket(random)
    agent = random.choice(list(User.objects.filter(offices=ticket.office)))
    # Newer tickets have less activity.
    progress = min(1, (now - moment) / timedelta(days=2))
    for step in (_take, _talk, _note, _talk, _finish):
        if random.random() < 0.8 * progress:
            step(random, ticket, agent)
    _backdate(random, ticket, moment, now)


def _backdate(random: Random, ticket: Ticket, moment: datetime, now: datetime) -> None:
    """Spread the ticket's activity over the time since `moment`."""
    entries = list(ticket.timeline.all())
    replies = iter(ticket.replies.all())
    for entry in entries:
        entry.created_at = moment
        if entry.action in (Action.REPLIED, Action.NOTED):
            reply = next(replies)
            ticket.replies.filter(pk=reply.pk).update(created_at=moment)
        moment += min(timedelta(minutes=random.expovariate(1 / 90)), (now - moment) / 2)
    TimelineEntry.objects.bulk_update(entries, ["created_at"])
    public = [entry.created_at for entry in entries if entry.audience == Audience.PUBLIC]
    times = {"created_at": public[0], "public_updated_at": public[-1], "updated_at": entries[-1].created_at}
    if Ticket.objects.filter(pk=ticket.pk, closed_at__isnull=False).exists():
        times["closed_at"] = public[-1]
    Ticket.objects.filter(pk=ticket.pk).update(**times)
    reading.recount(ticket)


def _backdate_notifications(now: datetime) -> None:
    """Date notifications by their message or ticket; those of before the last hours are read."""
    of_reply = Reply.objects.filter(pk=OuterRef("reply")).values("created_at")
    of_ticket = Ticket.objects.filter(pk=OuterRef("ticket")).values("updated_at")
    Notification.objects.update(created_at=Coalesce(Subquery(of_reply), Subquery(of_ticket)))
    opened = Ticket.objects.filter(pk=OuterRef("ticket")).values("created_at")
    Notification.objects.filter(kind=NotificationKind.NEW_TICKET).update(created_at=Subquery(opened))
    Notification.objects.filter(created_at__lt=now - timedelta(hours=12)).update(read_at=F("created_at"))


def _open_ticket(random: Random) -> Ticket:
    office = random.choice(list(TOPICS))
    subject, content = random.choice(TOPICS[office])
    values = {"month": random.choice(MONTHS), "number": random.randint(10_000, 99_999)}
    return services.open_ticket(
        by=random.choice(list(User.objects.filter(role=User.Role.CUSTOMER))),
        subject=subject.format(**values),
        content=content.format(**values),
        office=Office.objects.get(name=office),
        priority=random.choices(list(Priority.objects.all()), [2, 6, 3, 1])[0],
    )


def _take(random: Random, ticket: Ticket, agent: User) -> None:
    services.update_ticket(ticket, by=agent, values={"assigned_to": agent})
    services.update_ticket(ticket, by=agent, values={"status": Status.objects.get(name="In Progress")})


def _talk(random: Random, ticket: Ticket, agent: User) -> None:
    services.add_reply(ticket, by=agent, message=random.choice(AGENT_REPLIES))
    if random.random() < 0.6:
        services.add_reply(ticket, by=ticket.creator, message=random.choice(CUSTOMER_REPLIES))


def _note(random: Random, ticket: Ticket, agent: User) -> None:
    services.add_reply(ticket, by=agent, message=random.choice(NOTES), internal=True)


def _finish(random: Random, ticket: Ticket, agent: User) -> None:
    status = random.choices(["Closed", "On Hold"], [4, 1])[0]
    services.update_ticket(ticket, by=agent, values={"status": Status.objects.get(name=status)})
