"""Translations: the German catalogue is complete, matches the sources and is compiled."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client

from tests.support.cast import Cast

CATALOGUE = Path(settings.BASE_DIR, "locale/de/LC_MESSAGES/django.po")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|<[^>]+>")
SOURCES = ("accounts", "jobs", "mail", "realtime", "templates", "tickets", "tikm")


@pytest.fixture(scope="module")
def german() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_text_has_a_german_translation(german: polib.POFile) -> None:
    assert [entry.msgid for entry in german if not all(texts(entry)) or entry.fuzzy] == []


def test_translations_keep_placeholders_and_tags(german: polib.POFile) -> None:
    odd = []
    for entry in german:
        wanted = {tuple(sorted(PLACEHOLDER.findall(text))) for text in (entry.msgid, entry.msgid_plural) if text}
        odd += [entry.msgid for text in texts(entry) if tuple(sorted(PLACEHOLDER.findall(text))) not in wanted]
    assert odd == []


def test_compiled_catalogue_is_up_to_date(german: polib.POFile) -> None:
    compiled = {entry.msgid: texts(entry) for entry in polib.mofile(str(CATALOGUE.with_suffix(".mo")))}
    assert compiled == {entry.msgid: texts(entry) for entry in german if not entry.obsolete}


def test_catalogue_has_every_text_of_the_sources(german: polib.POFile, tmp_path: Path) -> None:
    for name in SOURCES:
        shutil.copytree(settings.BASE_DIR / name, tmp_path / name)
    (tmp_path / "locale").mkdir()
    command = [sys.executable, "-m", "django", "makemessages", "--locale", "de", "--no-location"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    found = polib.pofile(str(tmp_path / "locale/de/LC_MESSAGES/django.po"))
    assert {entry.msgid for entry in found} - {entry.msgid for entry in german} == set()


@pytest.mark.django_db
def test_german_user_sees_german_pages(cast: Cast) -> None:
    client = Client(headers={"accept-language": "de"})
    client.force_login(cast.casey)
    page = client.get(cast.ticket.get_absolute_url()).text
    assert "Antwort senden" in page
    assert "hat das Ticket eröffnet" in page
    assert "Send reply" not in page
