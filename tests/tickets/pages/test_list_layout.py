"""How staff see the list: the split view and the density of rows, choices of the person."""

import re

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def choose(client: Client, **values: str) -> str:
    answer = client.post("/tickets/layout/", values)
    assert answer.status_code == 302
    return str(answer["Location"])


def test_split_view_is_a_choice_of_the_person(cast: Cast) -> None:
    bao, dana = signed_in(cast.bao), signed_in(cast.dana)
    assert "<split-view" not in bao.get("/tickets/").text
    assert choose(bao, splits_list="true", back="status=all") == "/tickets/?status=all"
    assert '<split-view class="split" data-shows="list">' in bao.get("/tickets/").text
    assert "<split-view" not in dana.get("/tickets/").text
    choose(bao, splits_list="false")
    assert "<split-view" not in bao.get("/tickets/").text


def test_ticket_of_a_list_has_the_address_of_its_list_for_the_split_view(cast: Cast) -> None:
    bao, path = signed_in(cast.bao), cast.ticket.get_absolute_url()
    choose(bao, splits_list="true")
    page = bao.get(f"{path}?list=status%3Dall").text
    assert re.search(r'<split-view [^>]*data-shows="ticket" data-list="/tickets/\?status=all"', page)
    assert "<split-view" not in bao.get(path).text


def test_density_is_a_choice_of_the_person_and_leaves_the_split_view(cast: Cast) -> None:
    bao = signed_in(cast.bao)
    choose(bao, splits_list="true")
    assert "is-compact" not in bao.get("/tickets/").text
    choose(bao, list_density="compact")
    assert "is-compact" in bao.get("/tickets/").text
    choose(bao, list_density="tiny")
    user = User.objects.get(pk=cast.bao.pk)
    assert (user.list_density, user.splits_list) == ("compact", True)


def test_saving_the_layout_leaves_the_rest_of_the_person(cast: Cast) -> None:
    choose(signed_in(cast.bao), splits_list="true", role="admin", name="Someone else")
    user = User.objects.get(pk=cast.bao.pk)
    assert (user.role, user.name, user.splits_list) == (cast.bao.role, cast.bao.name, True)


def test_redirect_never_leaves_the_list(cast: Cast) -> None:
    assert choose(signed_in(cast.bao), back="//evil.example/?x=1").startswith("/tickets/?")


def test_customers_have_no_layout(cast: Cast) -> None:
    casey = signed_in(cast.casey)
    User.objects.filter(pk=cast.casey.pk).update(splits_list=True, list_density="compact")
    page = casey.get("/tickets/").text
    assert not re.search("<split-view|is-compact|list-layout", page)
    assert casey.post("/tickets/layout/", {"splits_list": "true"}).status_code == 403
