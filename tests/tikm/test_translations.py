"""Translations: complete, compiled and as the sources; pages and dates follow the language."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client

from tests.support.cast import Cast
from tickets.models import Ticket

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|<[^>]+>")
SOURCES = ("accounts", "jobs", "mail", "realtime", "templates", "tickets", "tikm")
# A browser's language, that of its pages, a button, a line of the conversation, and 5 January 2026 at 23:30.
PAGES = [
    ("en-GB", "en", "Send reply", "opened the ticket", "5 Jan 2026, 23:30"),
    ("de-AT", "de", "Antwort senden", "hat das Ticket eröffnet", "05.01.2026 23:30"),
    ("es-MX", "es", "Enviar respuesta", "abrió el ticket", "05/01/2026 23:30"),
    ("fr-CA", "fr", "Envoyer la réponse", "a ouvert le ticket", "05/01/2026 23:30"),
]


def path(code: str) -> Path:
    return Path(settings.BASE_DIR, f"locale/{code}/LC_MESSAGES/django.po")


@pytest.fixture(scope="module", params=LANGUAGES)
def code(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def catalogue(code: str) -> polib.POFile:
    return polib.pofile(str(path(code)))


@pytest.fixture(scope="module")
def source_texts(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the texts of the sources, as makemessages collects them."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        shutil.copytree(settings.BASE_DIR / name, folder / name)
    (folder / "locale").mkdir()
    command = [sys.executable, "-m", "django", "makemessages", "--locale", "de", "--no-location"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return {entry.msgid for entry in polib.pofile(str(folder / "locale/de/LC_MESSAGES/django.po"))}


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_text_is_translated(catalogue: polib.POFile) -> None:
    assert [entry.msgid for entry in catalogue if not all(texts(entry)) or entry.fuzzy] == []


def test_translations_keep_placeholders_and_tags(catalogue: polib.POFile) -> None:
    odd = []
    for entry in catalogue:
        wanted = {tuple(sorted(PLACEHOLDER.findall(text))) for text in (entry.msgid, entry.msgid_plural) if text}
        odd += [entry.msgid for text in texts(entry) if tuple(sorted(PLACEHOLDER.findall(text))) not in wanted]
    assert odd == []


def test_compiled_catalogue_is_up_to_date(code: str, catalogue: polib.POFile) -> None:
    compiled = {entry.msgid: texts(entry) for entry in polib.mofile(str(path(code).with_suffix(".mo")))}
    assert compiled == {entry.msgid: texts(entry) for entry in catalogue if not entry.obsolete}


def test_catalogue_has_every_text_of_the_sources(catalogue: polib.POFile, source_texts: set[str]) -> None:
    assert source_texts - {entry.msgid for entry in catalogue} == set()


def test_catalogue_names_its_language_and_plural_forms(code: str, catalogue: polib.POFile) -> None:
    assert catalogue.metadata["Language"] == code
    forms = re.fullmatch(r"nplurals=(\d); plural=.+;", catalogue.metadata["Plural-Forms"])
    assert forms
    counts = {len(entry.msgstr_plural) for entry in catalogue if entry.msgid_plural}
    assert counts == {int(forms[1])}


def test_every_language_has_its_page_below() -> None:
    assert {page[1] for page in PAGES} == {code for code, _name in settings.LANGUAGES}


@pytest.mark.django_db
@pytest.mark.parametrize(("browser", "code", "button", "line", "time"), PAGES)
def test_page_follows_the_language_of_the_browser(
    cast: Cast, browser: str, code: str, button: str, line: str, time: str
) -> None:
    Ticket.objects.update(created_at=datetime(2026, 1, 5, 23, 30, tzinfo=UTC))
    client = Client(headers={"accept-language": browser})
    client.force_login(cast.casey)
    page = client.get(cast.ticket.get_absolute_url()).text
    assert f'<html lang="{code}" dir="ltr"' in page
    others = {other[2] for other in PAGES} - {button}
    assert button in page
    assert line in page
    assert f">{time}</relative-time>" in page
    assert [other for other in others if other in page] == []
