"""Everything by which access ends: who loses it, how they came in, and what is done, mostly on pages of the desk."""

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

from accounts import tokens
from accounts.models import ApiToken, Office, User
from tests.support import instances
from tests.support.cast import PASSWORD, Cast
from tests.support.http_visitor import Visitor
from tests.support.socket_client import Key
from tests.support.sockets import session_cookie
from tickets.models import Ticket

NEW_PASSWORD = {"password1": "another-phrase-9", "password2": "another-phrase-9"}
TICKET = ("ticket", "room")
OFFICE = ("desk", "lobby")
SOON = 6.0  # seconds: by then all sockets are open


@dataclass
class Scene:
    """Who is to lose something, and where: at the server where Ada, or the person, does it."""

    here: instances.Server
    ada: Visitor
    cast: Cast
    who: User
    key: Key
    ticket: Ticket
    office: Office

    @property
    def page(self) -> Visitor:
        """A page of the sign-in that is to end."""
        return Visitor(self.here.url, self.key.cookie)

    @property
    def elsewhere(self) -> Visitor:
        """The same person in another browser."""
        return Visitor(self.here.url, session_cookie(self.who))

    @property
    def session_key(self) -> str:
        return self.key.cookie.removeprefix("sessionid=")


Act = Callable[[Scene], object]


@dataclass(frozen=True)
class Ending:
    """What is done to whom. With no `loses` the person is out: all sockets are closed, with 4009."""

    act: Act
    who: str = "agent"  # of the office; or "admin", or "assignee" from another office
    comes_by: str = "cookie"  # or "token"; with "signature" in front of it, as a client of which we know no more
    loses: tuple[str, ...] = ()  # channels that end
    hears: tuple[str, ...] = ()  # channels that stay, on which the ticket is withdrawn
    takes: tuple[str, ...] = ()  # "ticket" and "office" of its own, as others would lose them too
    is_seen: bool = True  # by Ada, who goes on hearing
    lasts: float = 0  # seconds after which the sign-in ends by itself


def key_of(person: User, comes_by: str) -> Key:
    """Sign a person in, or make a token."""
    signs = comes_by.startswith("signature")
    if comes_by.endswith("token"):
        return Key(token=tokens.issue(person, name="Program", days=30)[1], signs=signs)
    cookie = session_cookie(person)
    UserSession.objects.create(user=person, session_key=cookie.removeprefix("sessionid="), ip="127.0.0.1")
    return Key(cookie=cookie, signs=signs)


# On the person's own pages


def log_out(scene: Scene) -> None:
    scene.page.submit("/logout/")


def sign_out_there(scene: Scene) -> None:
    there = UserSession.objects.get(session_key=scene.session_key)
    scene.elsewhere.submit(f"/profile/sign-ins/{there.pk}/end/")


def change_password(scene: Scene) -> None:
    scene.elsewhere.submit("/profile/password/", oldpassword=PASSWORD, **NEW_PASSWORD)


def reset_password(scene: Scene) -> None:
    """Follow the link of the mail, which leads to a form that knows it by the session."""
    session, link = SessionStore(), f"/password/reset/{user_pk_to_url_str(scene.who)}"
    session.create()
    stranger = Visitor(scene.here.url, f"sessionid={session.session_key}")
    stranger.follow(f"{link}-{default_token_generator.make_token(scene.who)}/")
    stranger.submit(f"{link}-set-password/", **NEW_PASSWORD)


def revoke_token(scene: Scene) -> None:
    token = ApiToken.objects.get(user=scene.who)
    scene.elsewhere.submit(f"/profile/tokens/{token.id}/revoke/")


def revoke_by_api(scene: Scene) -> None:
    address = f"{scene.here.url}/api/v1/auth/token/{ApiToken.objects.get(user=scene.who).id}/"
    with urlopen(Request(address, headers=scene.key.headers, method="DELETE"), timeout=5) as response:
        assert response.status == 204


# In the admin


def edit(scene: Scene, person: User, **changes: Any) -> None:
    fields = {"email": person.email, "name": person.name, "role": person.role, "is_active": "on", **changes}
    inline = {"emailaddress_set-TOTAL_FORMS": 0, "emailaddress_set-INITIAL_FORMS": 0}
    filled_in = {name: value for name, value in (fields | inline).items() if value != ""}
    scene.ada.submit(f"/admin/accounts/user/{person.pk}/change/", **filled_in)


def switch_off(scene: Scene) -> None:
    edit(scene, scene.who, is_active="")


def become(role: str) -> Act:
    return lambda scene: edit(scene, scene.who, role=role)


def set_password(scene: Scene) -> None:
    """Do it in another browser of Ada's: Django renews the sign-in of whoever sets a password."""
    fields = {**NEW_PASSWORD, "usable_password": "true"}
    Visitor(scene.here.url, session_cookie(scene.cast.ada)).submit(
        f"/admin/accounts/user/{scene.who.pk}/password/", **fields
    )


def disconnect(scene: Scene) -> None:
    scene.ada.submit(f"/admin/realtime/connection/people/{scene.who.pk}/")


def end_selected_sign_in(scene: Scene) -> None:
    sign_ins = UserSession.objects.filter(session_key=scene.session_key)
    delete_selected(scene, "usersessions/usersession", sign_ins.values_list("pk", flat=True))


def revoke_selected_token(scene: Scene) -> None:
    delete_selected(scene, "accounts/apitoken", ApiToken.objects.filter(user=scene.who).values_list("id", flat=True))


def delete_selected(scene: Scene, page: str, keys: QuerySet[Model, Any]) -> None:
    scene.ada.submit(f"/admin/{page}/", action="delete_selected", _selected_action=list(keys), post="yes")


def leave_by_the_offices_form(scene: Scene) -> None:
    stay = scene.office.agents.filter(role=User.Role.AGENT).exclude(pk=scene.who.pk)
    fields = {"name": scene.office.name, "agents": [person.pk for person in stay]}
    scene.ada.submit(f"/admin/accounts/office/{scene.office.pk}/change/", **fields)


def delete_office(scene: Scene) -> None:
    scene.ada.submit(f"/admin/accounts/office/{scene.office.pk}/delete/", post="yes")


def delete_ticket(scene: Scene) -> None:
    scene.ada.submit(f"/admin/tickets/ticket/{scene.ticket.pk}/delete/", post="yes")


# On the ticket's page


def reassign(scene: Scene) -> None:
    scene.ada.post(f"/tickets/{scene.ticket.uuid}/change/", assigned_to=scene.cast.dana.pk)


def move(scene: Scene) -> None:
    scene.ada.post(f"/tickets/{scene.ticket.uuid}/change/", office=scene.cast.orders.pk)


# In a shell: a third process, which has no sockets


def shell(act: Callable[[User], object]) -> Act:
    return lambda scene: act(scene.who)


def update(**fields: Any) -> Act:
    return shell(lambda person: User.objects.filter(pk=person.pk).update(**fields))


def delete_session(scene: Scene) -> None:
    Session.objects.filter(pk=scene.session_key).delete()


# By themselves


def expires(key: Key, at: datetime) -> None:
    """Have a sign-in or token end at a moment."""
    if key.token:
        ApiToken.objects.filter(pk=tokens.find_token(key.token).pk).update(expiry=at)
    else:
        Session.objects.filter(pk=key.cookie.removeprefix("sessionid=")).update(expire_date=at)


def nothing(scene: Scene) -> None:
    """It ends by itself."""


CUSTOMER, AGENT = User.Role.CUSTOMER, User.Role.AGENT
BOTH = (*TICKET, *OFFICE)

ENDINGS = {
    "log-out": Ending(log_out),
    "log-out, by signature": Ending(log_out, comes_by="signature"),
    "sign out there": Ending(sign_out_there),
    "an admin ends a sign-in": Ending(end_selected_sign_in),
    "an admin signs a person out": Ending(disconnect),
    "the session's row goes": Ending(delete_session),
    "a new password": Ending(change_password),
    "a new password, by token": Ending(change_password, comes_by="token"),
    "a password reset by mail": Ending(reset_password),
    "an admin sets a password": Ending(set_password),
    "an admin sets a password, by token": Ending(set_password, comes_by="token"),
    "switched off": Ending(switch_off),
    "many are switched off": Ending(update(is_active=False)),
    "deleted": Ending(shell(User.delete)),
    "a token revoked by a program": Ending(revoke_by_api, comes_by="token"),
    "a token revoked by an admin": Ending(revoke_selected_token, comes_by="token"),
    "a token revoked, by signature": Ending(revoke_token, comes_by="signature of a token"),
    "an agent becomes a customer": Ending(become(CUSTOMER), loses=BOTH),
    "an admin becomes an agent": Ending(become(AGENT), who="admin", loses=BOTH),
    "left the office, by its form": Ending(leave_by_the_offices_form, loses=BOTH),
    "left the office, by signature": Ending(leave_by_the_offices_form, comes_by="signature", loses=BOTH),
    "left the office, from the person's side": Ending(shell(lambda person: person.offices.clear()), loses=BOTH),
    "the office is deleted": Ending(delete_office, loses=OFFICE, takes=("office",), is_seen=False),
    "the office is deleted, for an admin": Ending(
        delete_office, who="admin", loses=OFFICE, takes=("office",), is_seen=False
    ),
    "assigned to somebody else": Ending(reassign, who="assignee", loses=TICKET, hears=("own",), takes=("ticket",)),
    "moved to another office": Ending(move, loses=TICKET, hears=("desk",), takes=("office", "ticket")),
    "the ticket is deleted": Ending(
        delete_ticket, who="assignee", loses=TICKET, hears=("own",), takes=("ticket",), is_seen=False
    ),
    "a session expires": Ending(nothing, lasts=SOON),
    "a session expires, by signature": Ending(nothing, comes_by="signature", lasts=SOON),
    "a token expires": Ending(nothing, comes_by="token", lasts=SOON),
}
