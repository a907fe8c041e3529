"""Compiled queries find what the uncompiled rules find, for each variant of a user."""

from itertools import product
from uuid import uuid4

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet

from accounts.models import Office, User
from accounts.policies import authorize_office, staffed_offices
from realtime.channels import Audience
from realtime.utils.compiled_query import CompiledQuery
from tests.support.cast import Cast
from tickets.models import Ticket
from tickets.policies import audience_of, authorize_ticket, authorize_tickets

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(cast: Cast) -> list[Ticket]:
    """A ticket of an agent's, one that is assigned elsewhere, and the cast's."""
    by_bao = Ticket.objects.create(
        reference="AAAAAAA", subject="Chair", content="Broken", office=cast.orders, creator=cast.bao,
        status=cast.ticket.status, priority=cast.ticket.priority, assigned_to=cast.fatima,
    )  # fmt: skip
    return [cast.ticket, by_bao]


def test_ticket_rules_agree_with_each_other_and_the_page(cast: Cast, tickets: list[Ticket]) -> None:
    audiences = set()
    for person, ticket in product(User.objects.all(), tickets):
        channel = {"ticket_uuid": ticket.uuid}
        found = authorize_ticket(person, ticket.uuid)
        assert found == authorize_tickets(person, [channel])[0] == audience_of(person, ticket)
        audiences.add(found)
    assert audiences == {*Audience, None}


def test_office_rule_agrees_with_the_office_list(cast: Cast) -> None:
    for person, office in product(User.objects.all(), Office.objects.all()):
        assert (authorize_office(person, office.pk) is not None) == (office in staffed_offices(person))


def test_changed_role_or_activity_uses_another_variant(cast: Cast) -> None:
    assert authorize_ticket(cast.bao, cast.ticket.uuid) is Audience.STAFF
    cast.bao.is_active = False
    assert authorize_ticket(cast.bao, cast.ticket.uuid) is None
    cast.bao.is_active, cast.bao.role = True, User.Role.CUSTOMER
    assert authorize_ticket(cast.bao, cast.ticket.uuid) is None
    assert authorize_ticket(cast.dana, cast.ticket.uuid) is Audience.STAFF


def test_rule_that_reads_other_fields_fails(cast: Cast) -> None:
    @CompiledQuery
    def named_alike(*kind: str, user_id: object) -> QuerySet[User]:
        person = User.of_kind(*kind, pk=user_id)
        return User.objects.filter(name=person.name).values_list("pk")

    with pytest.raises(ObjectDoesNotExist):
        named_alike.rows(*cast.bao.kind, user_id=cast.bao.pk)


def test_sql_that_depends_on_a_value_is_refused(cast: Cast) -> None:
    @CompiledQuery
    def like(*, name: str) -> QuerySet[User]:
        return User.objects.filter(name__startswith=name).values_list("pk")

    with pytest.raises(ValueError, match="like: the SQL depends on a value"):
        like.rows(name="Bao")


def test_query_is_built_twice_only(cast: Cast) -> None:
    made = []

    @CompiledQuery
    def by_key(*, user_id: object) -> QuerySet[User]:
        made.append(user_id)
        return User.objects.filter(pk=user_id).values_list("pk", "email")

    for person in (cast.bao, cast.dana, cast.emil):
        assert by_key.rows(user_id=person.pk) == [(person.pk, person.email)]
    assert by_key.rows(user_id=uuid4()) == []
    assert len(made) == 2


def test_key_out_of_range_finds_nothing(cast: Cast) -> None:
    assert authorize_office(cast.bao, 10**30) is None
    assert authorize_office(cast.bao, cast.billing.pk) is Audience.STAFF
