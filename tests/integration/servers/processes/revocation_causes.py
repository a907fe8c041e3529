"""Revocation causes: which user loses access, with which credentials, and by which action."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.request import Request, urlopen

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import Model, QuerySet

from accounts.models import ApiToken, Office, User
from accounts.sign_in import tokens
from tests.support.cast import PASSWORD, Cast
from tests.support.clients.socket_client import Credentials
from tests.support.servers import instances
from tests.support.servers.http_client import HttpClient
from tests.support.sockets import session_cookie
from tickets.models import Ticket

NEW_PASSWORD = {"password1": "another-phrase-9", "password2": "another-phrase-9"}
TICKET = ("ticket", "room")
OFFICE = ("desk", "lobby")
EXPIRY_DELAY = 6.0  # seconds: by then all sockets are open


@dataclass
class Case:
    """The user who loses access, and the server where the action takes place."""

    here: instances.Server
    ada: HttpClient
    cast: Cast
    who: User
    key: Credentials
    ticket: Ticket
    office: Office

    @property
    def page(self) -> HttpClient:
        """A page of the session that is to end."""
        return HttpClient(self.here.url, self.key.cookie)

    @property
    def elsewhere(self) -> HttpClient:
        """The same user in another browser."""
        return HttpClient(self.here.url, session_cookie(self.who))

    @property
    def session_key(self) -> str:
        return self.key.cookie.removeprefix("sessionid=")


Action = Callable[[Case], object]


@dataclass(frozen=True)
class RevocationCause:
    """An action that revokes access. Without `loses` all sockets of the user are closed with 4009."""

    act: Action
    who: str = "agent"  # of the office; or "admin", "assignee" from another office, or "participant"
    comes_by: str = "cookie"  # or "token"; with "signature" in front of it, as a client of which we know no more
    loses: tuple[str, ...] = ()  # channels that end
    keeps: tuple[str, ...] = ()  # channels that stay, on which the ticket is withdrawn
    takes: tuple[str, ...] = ()  # "ticket" and "office" of its own, as others would lose them too
    is_seen: bool = True  # by Ada, who stays subscribed
    lasts: float = 0  # seconds after which the session expires


def key_of(person: User, comes_by: str) -> Credentials:
    """Sign a user in, or create a token."""
    signs = comes_by.startswith("signature")
    if comes_by.endswith("token"):
        return Credentials(token=tokens.issue(person, name="Program", days=30)[1], signs=signs)
    cookie = session_cookie(person)
    UserSession.objects.create(user=person, session_key=cookie.removeprefix("sessionid="), ip="127.0.0.1")
    return Credentials(cookie=cookie, signs=signs)


# On the user's own pages


def log_out(case: Case) -> None:
    case.page.submit("/logout/")


def sign_out_there(case: Case) -> None:
    there = UserSession.objects.get(session_key=case.session_key)
    case.elsewhere.submit(f"/profile/sign-ins/{there.pk}/end/")


def change_password(case: Case) -> None:
    case.elsewhere.submit("/profile/password/", oldpassword=PASSWORD, **NEW_PASSWORD)


def reset_password(case: Case) -> None:
    """Follow the link of the mail, which leads to a form that knows it by the session."""
    session, link = SessionStore(), f"/password/reset/{user_pk_to_url_str(case.who)}"
    session.create()
    stranger = HttpClient(case.here.url, f"sessionid={session.session_key}")
    stranger.follow(f"{link}-{default_token_generator.make_token(case.who)}/")
    stranger.submit(f"{link}-set-password/", **NEW_PASSWORD)


def revoke_token(case: Case) -> None:
    token = ApiToken.objects.get(user=case.who)
    case.elsewhere.submit(f"/profile/tokens/{token.id}/revoke/")


def revoke_by_api(case: Case) -> None:
    address = f"{case.here.url}/api/v1/auth/token/{ApiToken.objects.get(user=case.who).id}/"
    with urlopen(Request(address, headers=case.key.headers, method="DELETE"), timeout=60) as response:
        assert response.status == 204


# In the admin


def edit(case: Case, person: User, **changes: Any) -> None:
    fields = {"email": person.email, "name": person.name, "role": person.role, "is_active": "on", **changes}
    inline = {"emailaddress_set-TOTAL_FORMS": 0, "emailaddress_set-INITIAL_FORMS": 0}
    filled_in = {name: value for name, value in (fields | inline).items() if value != ""}
    case.ada.submit(f"/admin/accounts/user/{person.pk}/change/", **filled_in)


def switch_off(case: Case) -> None:
    edit(case, case.who, is_active="")


def become(role: str) -> Action:
    return lambda case: edit(case, case.who, role=role)


def set_password(case: Case) -> None:
    """Use another browser of Ada's: Django renews the session that sets a password."""
    fields = {**NEW_PASSWORD, "usable_password": "true"}
    HttpClient(case.here.url, session_cookie(case.cast.ada)).submit(
        f"/admin/accounts/user/{case.who.pk}/password/", **fields
    )


def disconnect(case: Case) -> None:
    case.ada.submit(f"/admin/realtime/connection/people/{case.who.pk}/")


def end_selected_sign_in(case: Case) -> None:
    sign_ins = UserSession.objects.filter(session_key=case.session_key)
    delete_selected(case, "usersessions/usersession", sign_ins.values_list("pk", flat=True))


def revoke_selected_token(case: Case) -> None:
    delete_selected(case, "accounts/apitoken", ApiToken.objects.filter(user=case.who).values_list("id", flat=True))


def delete_selected(case: Case, page: str, keys: QuerySet[Model, Any]) -> None:
    case.ada.submit(f"/admin/{page}/", action="delete_selected", _selected_action=list(keys), post="yes")


def leave_by_the_offices_form(case: Case) -> None:
    stay = case.office.agents.filter(role=User.Role.AGENT).exclude(pk=case.who.pk)
    fields = {"name": case.office.name, "agents": [person.pk for person in stay]}
    case.ada.submit(f"/admin/accounts/office/{case.office.pk}/change/", **fields)


def delete_office(case: Case) -> None:
    case.ada.submit(f"/admin/accounts/office/{case.office.pk}/delete/", post="yes")


def delete_ticket(case: Case) -> None:
    case.ada.submit(f"/admin/tickets/ticket/{case.ticket.pk}/delete/", post="yes")


# On the ticket's page


def reassign(case: Case) -> None:
    case.ada.post(f"/tickets/{case.ticket.uuid}/change/", assigned_to=case.cast.dana.pk)


def move(case: Case) -> None:
    case.ada.post(f"/tickets/{case.ticket.uuid}/change/", office=case.cast.orders.pk)


def remove_from_the_ticket(case: Case) -> None:
    case.ada.post(f"/tickets/{case.ticket.uuid}/participants/remove/", person=case.who.pk)


# In a shell: a third process, which has no sockets


def shell(act: Callable[[User], object]) -> Action:
    return lambda case: act(case.who)


def update(**fields: Any) -> Action:
    return shell(lambda person: User.objects.filter(pk=person.pk).update(**fields))


def delete_session(case: Case) -> None:
    Session.objects.filter(pk=case.session_key).delete()


# By themselves


def expires(key: Credentials, at: datetime) -> None:
    """Set the expiry of a session or token."""
    if key.token:
        ApiToken.objects.filter(pk=tokens.find_token(key.token).pk).update(expiry=at)
    else:
        Session.objects.filter(pk=key.cookie.removeprefix("sessionid=")).update(expire_date=at)


def nothing(case: Case) -> None:
    """It ends by itself."""


CUSTOMER, AGENT = User.Role.CUSTOMER, User.Role.AGENT
BOTH = (*TICKET, *OFFICE)

REVOCATION_CAUSES = {
    "log-out": RevocationCause(log_out),
    "log-out, by signature": RevocationCause(log_out, comes_by="signature"),
    "sign out there": RevocationCause(sign_out_there),
    "an admin ends a sign-in": RevocationCause(end_selected_sign_in),
    "an admin signs a person out": RevocationCause(disconnect),
    "the session's row goes": RevocationCause(delete_session),
    "a new password": RevocationCause(change_password),
    "a new password, by token": RevocationCause(change_password, comes_by="token"),
    "a password reset by mail": RevocationCause(reset_password),
    "an admin sets a password": RevocationCause(set_password),
    "an admin sets a password, by token": RevocationCause(set_password, comes_by="token"),
    "switched off": RevocationCause(switch_off),
    "many are switched off": RevocationCause(update(is_active=False)),
    "deleted": RevocationCause(shell(User.delete)),
    "a token revoked by a program": RevocationCause(revoke_by_api, comes_by="token"),
    "a token revoked by an admin": RevocationCause(revoke_selected_token, comes_by="token"),
    "a token revoked, by signature": RevocationCause(revoke_token, comes_by="signature of a token"),
    "an agent becomes a customer": RevocationCause(become(CUSTOMER), loses=BOTH),
    "an admin becomes an agent": RevocationCause(become(AGENT), who="admin", loses=BOTH),
    "left the office, by its form": RevocationCause(leave_by_the_offices_form, loses=BOTH),
    "left the office, by signature": RevocationCause(leave_by_the_offices_form, comes_by="signature", loses=BOTH),
    "left the office, from the user's side": RevocationCause(
        shell(lambda person: person.offices.clear()), loses=BOTH
    ),
    "the office is deleted": RevocationCause(delete_office, loses=OFFICE, takes=("office",), is_seen=False),
    "the office is deleted, for an admin": RevocationCause(
        delete_office, who="admin", loses=OFFICE, takes=("office",), is_seen=False
    ),
    "assigned to another agent": RevocationCause(
        reassign, who="assignee", loses=TICKET, keeps=("own",), takes=("ticket",)
    ),
    "moved to another office": RevocationCause(move, loses=TICKET, keeps=("desk",), takes=("office", "ticket")),
    "removed from the ticket": RevocationCause(
        remove_from_the_ticket, who="participant", loses=("ticket",), keeps=("own",), takes=("ticket",)
    ),
    "the ticket is deleted": RevocationCause(
        delete_ticket, who="assignee", loses=TICKET, keeps=("own",), takes=("ticket",), is_seen=False
    ),
    "a session expires": RevocationCause(nothing, lasts=EXPIRY_DELAY),
    "a session expires, by signature": RevocationCause(nothing, comes_by="signature", lasts=EXPIRY_DELAY),
    "a token expires": RevocationCause(nothing, comes_by="token", lasts=EXPIRY_DELAY),
}
