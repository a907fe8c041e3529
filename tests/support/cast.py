"""The cast of the tests: named users, their offices, and a ticket of Casey's."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest.mock import patch

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.models import Office, User
from jobs.models import Job
from mail.models import OutgoingMail
from tickets import services
from tickets.models import Priority, Reply, Status, Ticket

PASSWORD = "correct horse battery"
REFERENCE = "BCD-FGHJ"  # a random one would be found by a test's digit or letter, now and then


@dataclass(frozen=True)
class Cast:
    """Ada is the admin. Bao and Dana work in Billing, Emil in Orders; Fatima in the internal Fraud Desk.

    Casey asked Billing; Greta is another customer; Hiro's account is inactive.
    """

    ada: User
    bao: User
    dana: User
    emil: User
    fatima: User
    casey: User
    greta: User
    hiro: User
    billing: Office
    orders: Office
    fraud: Office
    ticket: Ticket

    def status(self, name: str) -> Status:
        return Status.objects.get(name=name)

    def priority(self, name: str) -> Priority:
        return Priority.objects.get(name=name)

    def reply(self, by: User, message: str, *, internal: bool = False) -> Reply:
        return services.add_reply(self.ticket, by=by, message=message, internal=internal)


def create_cast() -> Cast:
    """Write the cast to the database."""
    offices = {
        "billing": Office.objects.create(name="Billing"),
        "orders": Office.objects.create(name="Orders"),
        "fraud": Office.objects.create(name="Fraud Desk", is_internal=True),
    }
    people = {
        "ada": _person("Ada Admin", User.Role.ADMIN),
        "bao": _person("Bao Nguyen", User.Role.AGENT),
        "dana": _person("Dana Okafor", User.Role.AGENT),
        "emil": _person("Emil Sørensen", User.Role.AGENT),
        "fatima": _person("Fatima Zahra", User.Role.AGENT),
        "casey": _person("Casey Rivers", User.Role.CUSTOMER),
        "greta": _person("Greta Lindqvist", User.Role.CUSTOMER),
        "hiro": _person("Hiro Tanaka", User.Role.CUSTOMER, is_active=False),
    }
    User.objects.bulk_create(people.values())
    EmailAddress.objects.bulk_create(
        EmailAddress(user=person, email=person.email, verified=True, primary=True) for person in people.values()
    )
    Membership = Office.agents.through  # noqa: N806
    Membership.objects.bulk_create(
        Membership(office=offices[office], user=people[name])
        for name, office in (("bao", "billing"), ("dana", "billing"), ("emil", "orders"), ("fatima", "fraud"))
    )
    with patch("tickets.services.new_reference", return_value=REFERENCE):
        ticket = services.open_ticket(
            by=people["casey"], subject="Charged twice", content="Two charges for *May*.", office=offices["billing"]
        )
    _forget_mails()
    everyone: dict[str, Any] = {**people, **offices}
    return Cast(**everyone, ticket=ticket)


def _forget_mails() -> None:
    """Leave no job: the mails about the ticket count as sent."""
    Job.objects.all().delete()
    OutgoingMail.objects.all().delete()


def _person(name: str, role: str, **fields: object) -> User:
    email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
    return User(email=email, password=_password(), name=name, role=role, **fields)


@cache
def _password() -> str:
    """Hash it once: hashing is slow by design."""
    return make_password(PASSWORD)
