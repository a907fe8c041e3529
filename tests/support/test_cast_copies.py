"""A copy of the cast is as good as a new one."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Office, User
from tickets.models import Ticket


def values(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_objects_are_those_of_the_database(cast):
    for row in vars(cast).values():
        assert values(row) == values(type(row).objects.get(pk=row.pk))
    assert cast.ticket.creator is cast.casey


def test_cast_was_created_just_now(cast):
    now = timezone.now()
    for moment in (cast.ticket.created_at, cast.ticket.updated_at, cast.casey.date_joined):
        assert now - timedelta(minutes=1) < moment < now


def test_tests_do_not_share_objects(cast, new_cast):
    cast.ticket.subject = "Changed"
    Ticket.objects.all().delete()
    User.objects.all().delete()
    Office.objects.all().delete()
    assert new_cast().ticket.subject == "Charged twice"


def test_cast_beside_other_rows_is_a_new_one(db, new_cast):
    office = Office.objects.create(name="First")
    assert new_cast().billing.pk != office.pk
    assert User.objects.count() == 8
