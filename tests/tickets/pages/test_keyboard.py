"""The keyboard shortcuts of staff: one table, whose keys and actions are known to the scripts."""

import re
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tickets.templatetags.keyboard import SHORTCUTS, keyboard_shortcuts

KEYS = [shortcut for _heading, shortcuts in SHORTCUTS for shortcut in shortcuts]
ACTIONS = re.findall(r'^  "?([\w-]+)"?: \(', Path("static/js/lib/keys/actions.js").read_text(), re.MULTILINE)


def page(user: User) -> str:
    client = Client()
    client.force_login(user)
    return str(client.get("/tickets/new/").text)


def test_scripts_know_every_action_and_the_table_uses_them_all() -> None:
    assert {shortcut.action for shortcut in KEYS if shortcut.action} == set(ACTIONS)


def test_no_key_means_two_things() -> None:
    keys = [shortcut.keys for shortcut in KEYS]
    assert len(keys) == len(set(keys))
    firsts = {shortcut.keys.split()[0] for shortcut in KEYS if shortcut.action and " " in shortcut.keys}
    assert firsts.isdisjoint(keys)


@pytest.mark.parametrize("shortcut", [each for each in KEYS if each.href], ids=lambda each: each.keys)
def test_shortcut_leads_to_a_page(cast: Cast, shortcut: object) -> None:
    client = Client()
    client.force_login(cast.bao)
    assert client.get(shortcut.href).status_code == 200


def test_pages_of_staff_have_the_table_and_those_of_customers_have_none(cast: Cast) -> None:
    assert len(keyboard_shortcuts()) == page(cast.bao).count("<h3>")
    assert 'data-action="reply" data-keys="r"' in page(cast.ada)
    assert "<key-shortcuts" not in page(cast.casey)


def test_single_keys_can_be_turned_off_in_the_profile(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.bao)
    assert 'data-single-keys="true"' in page(cast.bao)
    client.post("/profile/", {"name": "Bao Nguyen", "language": "", "time_zone": "", "after_sending": "stay"})
    assert 'data-single-keys="false"' in page(User.objects.get(pk=cast.bao.pk))
