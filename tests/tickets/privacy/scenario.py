"""A person who left traces in every table, and the search for what is left after the erasure."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import ContentFile
from django.test import Client

from accounts.models import User
from accounts.sign_in import tokens
from jobs.models import Job
from realtime.broadcasting.channel_layer import RELAY_CHANNEL
from realtime.models import (
    Broadcast,
    ExpiringValue,
    PresenceEntry,
    RateCounter,
    ServerProcess,
    WebhookEvent,
    WebhookReceiver,
    database_time,
)
from realtime.protocol import encode
from tests.support.cast import Cast
from tests.test_admin import save
from tickets import files, services
from tickets.models import IdempotencyKey, Ticket

NAME = 'Zoë "Zed" Müller'
EMAIL = "zoe.mueller@example.org"
SECOND = "zed@private.example"
ADDRESS = "198.51.100.23"
TEXTS = (NAME, EMAIL, SECOND, ADDRESS)

# Where the person is found before the erasure, at least.
TRACES = {
    "accounts_user.name", "accounts_user.email", "account_emailaddress.email", "usersessions_usersession.ip",
    "accounts_apitoken.name", "mfa_authenticator.data", "django_session.session_data",
    "django_admin_log.object_repr", "django_admin_log.change_message", "realtime_broadcast.staff",
    "realtime_webhookevent.payload", "realtime_occupant.shown", "realtime_keepsake.value", "realtime_keepsake.key",
    "realtime_hitcount.key", "realtime_serverprocess.sockets", "tickets_ticket.subject", "tickets_ticket.content",
    "tickets_ticket.rendered", "tickets_reply.message", "tickets_reply.rendered", "tickets_attachment.filename",
    "tickets_timelineentry.staff", "tickets_madeonce.key", "files",
    "jobs_job.key", "jobs_job.error", "jobs_job.arguments",
}  # fmt: skip


def leave_traces(cast: Cast, role: str) -> User:
    """Create a person who did everything that leaves a trace, and those of others about them."""
    person = User.objects.create_user(EMAIL, "a long phrase 9", name=NAME, role=role)
    EmailAddress.objects.create(user=person, email=SECOND, verified=True)
    if role == User.Role.AGENT:
        cast.billing.agents.add(person)
    _tickets(cast, person)
    _account(cast, person)
    _realtime(person)
    return person


def _tickets(cast: Cast, person: User) -> None:
    upload = files.store(ContentFile(b"plain words\n", f"Letter of {EMAIL}.txt"), by=person)
    files.store(ContentFile(f"I am {NAME}\n".encode(), "unsent.txt"), by=person)
    ticket = services.open_ticket(
        by=person,
        subject=f"{NAME} is charged twice",
        content=f"Help\n-- \n{NAME}, {EMAIL.upper()}",
        office=cast.billing,
    )
    services.add_reply(ticket, by=person, message=f"Regards, {NAME} <{SECOND}>", attachments=[upload])
    edited = services.add_reply(ticket, by=person, message=f"Yours, {NAME}")
    services.edit_reply(edited, by=person, message=f"Yours truly, {NAME}")
    services.update_ticket(ticket, by=cast.bao, values={"subject": f"Refund for {NAME}", "assigned_to": cast.bao})
    services.update_ticket(ticket, by=cast.bao, values={"subject": f"{NAME} is charged twice"})
    services.add_reply(ticket, by=cast.bao, message="An answer")
    IdempotencyKey.objects.create(user=person, key=EMAIL, fingerprint="x")
    if person.role != User.Role.CUSTOMER:
        services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": person})
        services.add_reply(cast.ticket, by=person, message=f"I look at it. {NAME}")
        note = services.add_reply(cast.ticket, by=person, message="A note", internal=True)
        services.change_visibility(note, by=person, internal=False)
        services.change_visibility(note, by=person, internal=True)
        services.update_ticket(cast.ticket, by=person, values={"status": cast.status("On Hold")})


def _account(cast: Cast, person: User) -> None:
    tokens.issue(person, name=f"Script of {NAME}", days=30)
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"label": EMAIL})
    client, admin = Client(REMOTE_ADDR=ADDRESS, headers={"user-agent": f"Phone of {NAME}"}), Client()
    client.force_login(person)
    UserSession.objects.create(
        user=person, ip=ADDRESS, session_key=client.session.session_key, user_agent=f"Phone of {NAME}"
    )
    unlisted = SessionStore()
    unlisted.update({"_auth_user_id": str(person.pk), "_auth_user_backend": "x", "email": EMAIL})
    unlisted.save()
    anonymous = SessionStore()
    anonymous.update({"account_login": {"email": EMAIL}})
    anonymous.save()
    admin.force_login(cast.ada)
    # Without a recent password the form waits in the session, with all that it holds.
    save(admin, f"/admin/accounts/user/{person.pk}/change/", language="de")
    LogEntry.objects.log_actions(
        person.pk, [Ticket.objects.filter(creator=person).first()], CHANGE, f"Mentions {EMAIL}", single_object=True
    )
    added = [{"added": {"name": "email address", "object": SECOND}}]
    LogEntry.objects.log_actions(cast.ada.pk, [person], CHANGE, added, single_object=True)
    address = EmailAddress.objects.get(email=SECOND)
    for row in (address, UserSession.objects.get(user=person)):
        LogEntry.objects.log_actions(cast.ada.pk, [row], ADDITION, "", single_object=True)


def _realtime(person: User) -> None:
    """Write what server processes without Redis write."""
    now, shown = database_time(), encode([str(person.pk), {"id": str(person.pk), "name": NAME}])
    socket = {"process": "p", "socket_id": "1.1", "user_id": str(person.pk), "address": ADDRESS, "since": 0.0}
    process = ServerProcess.objects.create(name="p", expires_at=now, sockets=[socket, {"user_id": "other"}])
    PresenceEntry.objects.create(process=process, channel="presence-x", member=str(person.pk), sockets=1, shown=shown)
    receiver = WebhookReceiver.objects.create(url="https://example.com/")
    WebhookEvent.objects.create(receiver=receiver, payload=encode({"name": "client_event", "data": NAME}))
    ExpiringValue.objects.create(key="public.cache-x", value={"data": encode({"name": NAME})}, expires_at=now)
    ExpiringValue.objects.create(key=f"seen:{EMAIL}", expires_at=now)
    RateCounter.objects.create(key=f"login/{EMAIL}", hits=1, expires_at=0)
    RateCounter.objects.create(key=f"api/{ADDRESS}", hits=1, expires_at=0)
    RateCounter.objects.create(key="api/other", hits=1, expires_at=0)
    Job.objects.create(task="mail", key=f"mail {EMAIL}", error=f"{ADDRESS} refused")
    Job.objects.create(task="mail", key="2", arguments={"body": encode({"text": f"Dear {NAME}"})})
    Job.objects.create(task="mail", key="other")
    Broadcast.objects.create(event=RELAY_CHANNEL, staff=encode({"frame": encode({"name": NAME})}))


def other_rows() -> Any:
    """Return what must not be erased with the person."""
    return (
        list(ServerProcess.objects.values_list("sockets", flat=True)),
        list(RateCounter.objects.values_list("key", flat=True)),
        list(Job.objects.exclude(task="mail.send_ticket_mail").values_list("key", flat=True)),
    )
