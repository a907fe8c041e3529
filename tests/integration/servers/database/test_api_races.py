"""Programs at one ticket at the same moment, on PostgreSQL: one winner, and nothing made twice."""

from functools import partial
from uuid import uuid4

from tests.integration.servers.database.concurrent_transactions import run_concurrently
from tests.support.api_client import ApiClient
from tickets import services
from tickets.models import Reply, Ticket
from tickets.submissions import AlreadySubmitted


def at_once(asks):
    """Send requests together, and return their answers."""
    answers = []
    run_concurrently([partial(lambda ask: answers.append(ask()), ask) for ask in asks])
    return answers


def test_one_of_several_changes_to_a_version_wins_and_the_others_get_412(live_cast):
    people = [live_cast.bao, live_cast.bao, live_cast.dana, live_cast.ada]
    path, subjects = f"tickets/{live_cast.ticket.uuid}/", [f"Subject {number}" for number in range(4)]
    changes = [
        partial(ApiClient(person).patch, path, {"subject": subject}, If_Match='"1"')
        for person, subject in zip(people, subjects, strict=True)
    ]
    answers = at_once(changes)
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    ticket = Ticket.objects.get(pk=live_cast.ticket.pk)
    assert (ticket.subject, ticket.version) == (won["subject"], 2)


def test_concurrent_requests_with_one_idempotency_key_create_one_reply(live_cast):
    path, program = f"tickets/{live_cast.ticket.uuid}/replies/", ApiClient(live_cast.casey)
    answers = at_once([partial(program.post, path, {"message": "Hello"}, Idempotency_Key="1")] * 4)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert {answer.json()["id"] for answer in answers} == {str(Reply.objects.get().pk)}
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 3


def test_idempotency_key_with_two_bodies_creates_one_reply(live_cast):
    path, program = f"tickets/{live_cast.ticket.uuid}/replies/", ApiClient(live_cast.casey)
    asks = [partial(program.post, path, {"message": text}, Idempotency_Key="1") for text in ("One", "Two")]
    assert sorted(answer.status_code for answer in at_once(asks)) == [201, 409]
    assert Reply.objects.count() == 1


def test_concurrent_forms_with_one_key_and_two_offices_open_one_ticket(live_cast):
    key = uuid4()

    def submit(office):
        try:
            fields = {"subject": "Late", "content": "It never came.", "office": office, "key": key}
            return services.open_ticket(by=live_cast.casey, **fields).office
        except AlreadySubmitted as error:
            return error.code

    results = at_once([partial(submit, office) for office in (live_cast.billing, live_cast.orders)])
    opened = Ticket.objects.get(request_key=key).office
    assert {str(result) for result in results} == {str(opened), AlreadySubmitted.code}
