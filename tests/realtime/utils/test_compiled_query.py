"""Compiled queries find what the uncompiled rules find, for each variant of a user."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Office, User
from accounts.policies import authorize_office, staffed_offices
from realtime.channels import Audience
from realtime.utils.compiled_query import CompiledQuery
from tests.support.cast import Cast
from tickets.models import Ticket
from tickets.policies import audience_of, authorize_ticket, authorize_ticket_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(cast: Cast) -> list[Ticket]:
    """A ticket of an agent's, one that is assigned elsewhere, and the cast's."""
    by_bao = Ticket.objects.create(
        reference="AAAAAAA", subject="Chair", content="Broken", office=cast.orders, creator=cast.bao,
        status=cast.ticket.status, priority=cast.ticket.priority, assigned_to=cast.fatima,
    )  # fmt: skip
    return [cast.ticket, by_bao]


def on_ticket(user: User, ticket: Ticket) -> Audience | None:
    return authorize_ticket(user, [{"ticket_uuid": ticket.uuid}])[0]


def on_office(user: User, office_id: int) -> Audience | None:
    return authorize_office(user, [{"office_id": office_id}])[0]


def test_ticket_rules_agree_with_the_page(cast: Cast, tickets: list[Ticket]) -> None:
    audiences = set()
    for person, ticket in product(User.objects.all(), tickets):
        found = on_ticket(person, ticket)
        assert found == audience_of(person, ticket)
        staff = authorize_ticket_staff(person, [{"ticket_uuid": ticket.uuid}])
        assert staff == [found if found is Audience.STAFF else None]
        audiences.add(found)
    assert audiences == {*Audience, None}


def test_office_rule_agrees_with_the_office_list(cast: Cast) -> None:
    for person, office in product(User.objects.all(), Office.objects.all()):
        assert (on_office(person, office.pk) is not None) == (office in staffed_offices(person))


@pytest.mark.parametrize("number", range(10))
def test_rule_answers_for_several_channels_in_their_order(
    cast: Cast, tickets: list[Ticket], number: int, django_assert_max_num_queries: Any
) -> None:
    uuids = [each.uuid for each in tickets] + [uuid4() for _ in range(number)] + [tickets[0].uuid]
    on_ticket(cast.bao, cast.ticket)  # compiles
    with django_assert_max_num_queries(1):
        found = authorize_ticket(cast.bao, [{"ticket_uuid": uuid} for uuid in uuids])
    assert found == [Audience.STAFF, Audience.PUBLIC, *[None] * number, Audience.STAFF]


def test_rule_answers_for_no_channel_without_a_query(cast: Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert authorize_ticket(cast.bao, []) == authorize_office(cast.bao, []) == []


def test_changed_role_or_activity_uses_another_variant(cast: Cast) -> None:
    assert on_ticket(cast.bao, cast.ticket) is Audience.STAFF
    cast.bao.is_active = False
    assert on_ticket(cast.bao, cast.ticket) is None
    cast.bao.is_active, cast.bao.role = True, User.Role.CUSTOMER
    assert on_ticket(cast.bao, cast.ticket) is None
    assert on_ticket(cast.dana, cast.ticket) is Audience.STAFF


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


def test_times_are_compared_as_the_database_stores_them(cast: Cast) -> None:
    @CompiledQuery
    def joined(*, since: datetime) -> QuerySet[User]:
        return User.objects.filter(date_joined__gte=since).values_list("pk")

    now = timezone.now()
    User.objects.exclude(pk=cast.bao.pk).update(date_joined=now - timedelta(hours=1))
    User.objects.filter(pk=cast.bao.pk).update(date_joined=now)
    assert joined.rows(since=now) == [(cast.bao.pk,)]
    assert joined.rows(since=now.astimezone(ZoneInfo("Asia/Tokyo"))) == [(cast.bao.pk,)]
    assert joined.rows(since=now + timedelta(microseconds=1)) == []


def test_key_out_of_range_finds_nothing(cast: Cast) -> None:
    assert on_office(cast.bao, 10**30) is None
    assert on_office(cast.bao, cast.billing.pk) is Audience.STAFF
    several = authorize_office(cast.bao, [{"office_id": 10**30}, {"office_id": cast.billing.pk}])
    assert several == [None, Audience.STAFF]
