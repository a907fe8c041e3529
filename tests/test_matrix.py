"""The matrix of user x channel: socket, auth endpoint, history and page agree with the policy."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Office, User
from realtime import protocol
from realtime.broadcasting import history
from realtime.channels import Audience, authorize
from tests.support.cast import Cast
from tests.support.sockets import connect, do
from tickets import policies, services
from tickets.links.services import link_tickets
from tickets.merging.services import merge_tickets
from tickets.models import CustomerNote, Organization, Ticket
from tickets.people.customers import add_customer_note
from tickets.people.participants import add_participant

PUBLIC, STAFF, NO = Audience.PUBLIC, Audience.STAFF, None

# The last column: who receives that notes about Casey have changed. Their ticket is in Billing;
# it is assigned to Emil, who works elsewhere. Bao's own ticket is in Orders.
MATRIX = {
    #            Casey's ticket, Bao's ticket, Billing, Orders, Fraud, Casey, Bao, notes
    "casey": (PUBLIC, NO, NO, NO, NO, STAFF, NO, NO),  # creator
    "ivo": (PUBLIC, NO, NO, NO, NO, NO, NO, NO),  # member of Casey's organization, as Bao, Fatima and Hiro are
    "greta": (NO, PUBLIC, NO, NO, NO, NO, NO, NO),  # other customer; takes part in Bao's ticket
    "bao": (STAFF, PUBLIC, STAFF, NO, NO, NO, STAFF, STAFF),  # agent of the office; creator elsewhere
    "dana": (STAFF, NO, STAFF, NO, NO, NO, NO, STAFF),  # agent of the office
    "fatima": (NO, PUBLIC, NO, NO, STAFF, NO, NO, NO),  # agent elsewhere; takes part in Bao's ticket
    "emil": (STAFF, STAFF, NO, STAFF, NO, NO, NO, STAFF),  # assignee from elsewhere
    "ada": (STAFF, STAFF, STAFF, STAFF, STAFF, NO, NO, STAFF),  # admin
    "hiro": (NO, NO, NO, NO, NO, NO, NO, NO),  # inactive; takes part in Bao's ticket
    None: (NO, NO, NO, NO, NO, NO, NO, NO),  # signed out
}
CASES = [pytest.param(name, row, id=name or "signed-out") for name, row in MATRIX.items()]
ORIGIN = {"HTTP_HOST": "testserver"}


class Stage:
    """The channels of the matrix, in its order."""

    def __init__(self, cast: Cast) -> None:
        self.baos = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
        services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.emil})
        for person in (cast.greta, cast.fatima):
            add_participant(self.baos, by=cast.emil, person=person)
        self.baos.participants.create(user=cast.hiro, added_by=cast.emil)
        self.ivo = User.objects.create_user("ivo@example.com", name="Ivo Horvat")
        organization = Organization.objects.create(name="Acme", members_see_tickets=True)
        for person in (cast.casey, self.ivo, cast.bao, cast.fatima, cast.hiro):
            organization.members.create(user=person)
        self.things: list[Ticket | Office | User | CustomerNote] = [
            cast.ticket, self.baos, cast.billing, cast.orders, cast.fraud, cast.casey, cast.bao,
            add_customer_note(cast.casey, by=cast.bao, text="Pays late"),
        ]  # fmt: skip
        self.channels = [thing.channel for thing in self.things]

    def talk(self, cast: Cast) -> None:
        """Write a message of every visibility: unchanged ones and changed ones."""
        for ticket, by in ((cast.ticket, cast.bao), (self.baos, cast.emil)):
            services.add_reply(ticket, by=by, message="The secret note", internal=True)
            for message, internal in (("The published note", False), ("The hidden reply", True)):
                reply = services.add_reply(ticket, by=by, message=message, internal=not internal)
                services.change_visibility(reply, by=by, internal=internal)

    def pages(self) -> list[str | None]:
        return [thing.get_absolute_url() if isinstance(thing, Ticket) else None for thing in self.things]


def person(stage: Stage, cast: Cast, name: str | None) -> User | None:
    if name is None:
        return None
    found: User = stage.ivo if name == "ivo" else getattr(cast, name)
    return found


def browser(user: User | None) -> Client:
    """Return a signed-in client; the inactive user signed in before their deactivation."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


@pytest.mark.parametrize(("name", "row"), CASES)
def test_authorization_matches_the_matrix(cast: Cast, name: str | None, row: tuple) -> None:
    stage = Stage(cast)
    user = person(stage, cast, name)
    expected = dict(zip(stage.channels, row, strict=True))
    if user is not None:
        assert {channel: authorize(user, channel) for channel in stage.channels} == expected


@pytest.mark.parametrize(("name", "row"), CASES)
async def test_socket_matches_the_matrix(live_cast: Cast, name: str | None, row: tuple) -> None:
    stage = await do(Stage, live_cast)
    listener = await connect(person(stage, live_cast, name))
    for channel, audience in zip(stage.channels, row, strict=True):
        answer = await listener.subscribe(channel)
        wanted = "pusher:subscription_error" if audience is None else "pusher_internal:subscription_succeeded"
        assert answer["event"] == wanted, channel
    await listener.close()


@pytest.mark.parametrize(("name", "row"), CASES)
async def test_cookieless_socket_with_signature_matches_the_matrix(
    live_cast: Cast, name: str | None, row: tuple
) -> None:
    stage = await do(Stage, live_cast)
    user = person(stage, live_cast, name)
    client = await do(browser, user)
    for channel, audience in zip(stage.channels, row, strict=True):
        listener = await connect(origin=None)
        response = await do(
            client.post, "/broadcasting/auth", {"socket_id": listener.socket_id, "channel_name": channel}
        )
        assert response.status_code == (403 if audience is None else 200), channel
        # A valid signature does not extend the authorization.
        answer = await listener.subscribe(channel, **(await do(signed, listener.socket_id, channel, user)))
        wanted = "pusher:subscription_error" if audience is None else "pusher_internal:subscription_succeeded"
        assert answer["event"] == wanted, channel
        await listener.close()


def signed(socket_id: str, channel: str, user: User | None) -> dict[str, str]:
    data = protocol.encode({"user_id": str(user.pk) if user else ""})
    auth = protocol.channel_auth("tikm", "tests-only-app-secret", socket_id, channel, data)
    return {"auth": auth, "channel_data": data}


@pytest.mark.parametrize(("name", "row"), CASES)
def test_history_matches_the_matrix(cast: Cast, name: str | None, row: tuple) -> None:
    start = history.current_cursor()
    stage = Stage(cast)
    client = browser(person(stage, cast, name))
    stage.talk(cast)
    for channel, audience in zip(stage.channels, row, strict=True):
        answer = history_of(client, channel, start)
        assert ("events" in answer) == (audience is not None), channel
        if channel.startswith("private-tickets"):
            assert_read_by(audience, str(answer))


def assert_read_by(audience: Audience | None, text: str) -> None:
    """Check that an audience reads exactly what it may."""
    read = [words in text for words in ("The published note", "The secret note", "The hidden reply")]
    assert read == [audience is not None, audience is STAFF, audience is STAFF]


def history_of(client: Client, channel: str, since: str) -> dict[str, Any]:
    return client.get("/broadcasting/history", {"channel": channel, "since": since}).json()


@pytest.mark.django_db
def test_people_who_are_staff_of_a_ticket_match_the_matrix(cast: Cast) -> None:
    stage = Stage(cast)
    for index, ticket in enumerate([cast.ticket, stage.baos]):
        ticket.refresh_from_db()
        staff = {name for name, row in MATRIX.items() if row[index] is STAFF}
        assert {user.pk for user in policies.staff_of(ticket)} == {getattr(cast, str(name)).pk for name in staff}


@pytest.mark.parametrize(("name", "row"), CASES)
def test_staff_of_both_tickets_alone_see_their_link(cast: Cast, name: str | None, row: tuple) -> None:
    stage = Stage(cast)
    link_tickets(cast.ticket, stage.baos, by=cast.ada)
    user, is_staff_of_both = person(stage, cast, name), row[:2] == (STAFF, STAFF)
    if user is None:
        return
    cast.ticket.refresh_from_db()
    for ticket, other in ((cast.ticket, stage.baos), (stage.baos, cast.ticket)):
        assert policies.can_link(user, ticket, other) == is_staff_of_both
        assert list(policies.linked_tickets(user, ticket)) == ([other] if is_staff_of_both else [])


@pytest.mark.parametrize(("name", "row"), CASES)
def test_readers_of_both_tickets_alone_see_their_merge(cast: Cast, name: str | None, row: tuple) -> None:
    stage = Stage(cast)
    merge_tickets([cast.ticket], stage.baos, by=cast.ada)
    user = person(stage, cast, name)
    if user is None:
        return
    source, target = (Ticket.objects.get(pk=each.pk) for each in (cast.ticket, stage.baos))
    audiences = [policies.audience_of(user, ticket) for ticket in (source, target)]
    reads_both = None not in audiences
    assert policies.target_of_merge(user, source) == (target if reads_both else None)
    assert policies.merged_tickets(user, target) == ([source] if reads_both else [])
    assert policies.can_merge(user, source, target) == (audiences == [Audience.STAFF] * 2)
    ends = audiences[0] is not Audience.STAFF and not reads_both
    assert policies.ends_merge(user, source) == ends


@pytest.mark.parametrize(("name", "row"), CASES)
def test_page_matches_the_matrix(cast: Cast, name: str | None, row: tuple) -> None:
    stage = Stage(cast)
    user = person(stage, cast, name)
    stage.talk(cast)
    client = browser(user)
    for address, audience in zip(stage.pages(), row, strict=True):
        if address is None:
            continue
        response = client.get(address)
        if user is None or not user.is_active:
            assert response.status_code == 302
            continue
        assert response.status_code == (404 if audience is None else 200)
        assert_read_by(audience, response.text)


@pytest.mark.parametrize(
    "channel",
    [
        "tickets", "private-tickets.1", "private-unknown.1", "presence-tickets.1", "private-encrypted-tickets.1",
        "private-cache-office.1", "cache-office.1", "private-office.99999999999999999999", "private-office.-1",
        "private-office.1.2", "private-user.x", "#recheck", "private-tickets." + "a" * 200,
    ],
)  # fmt: skip
async def test_unmatched_channel_name_is_refused_even_to_admins(live_cast: Cast, channel: str) -> None:
    assert await do(authorize, live_cast.ada, channel) is None
    listener = await connect(live_cast.ada)
    await listener.send("pusher:subscribe", channel=channel, auth="")
    frame = await listener.frame()
    assert frame["event"] in ("pusher:subscription_error", "pusher:error")
    await listener.close()
