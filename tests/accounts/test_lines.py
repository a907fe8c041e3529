"""Names and subjects show something, turn no other words around, and a person's name is no advertisement."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import ApiToken, Office, User
from accounts.text.lines import BIDI_CONTROLS, is_blank, isolated, validate_line, validate_person_name
from tests.accounts.api import test_tokens
from tests.accounts.sign_in.test_sign_in import NINA
from tests.accounts.test_admin import user_page
from tests.support.api_client import ApiClient
from tests.support.cast import PASSWORD, Cast
from tests.support.servers.instances import TOP
from tests.test_admin import save, signed_in, ticket_page
from tickets import services
from tickets.models import Priority, Status, Ticket

BLANK = [
    " ", "\u200b", "\u200d\u200c", "\u2060", "\ufeff", "\u00ad", "\u3164", "\u115f\u1160", "\uffa0", "\u2800",
    "\u00a0\u3000", "\u180e", "\ufe0f", "\u034f", "\U000e0041", "\t", "\u2028",
]  # fmt: skip
BIDI = [f"Bao{control}Nguyen" for control in sorted(BIDI_CONTROLS)]
CONTROLS = ["Bao\nNguyen", "Bao\x1b[31m", "Bao\u2028Nguyen", "Bao\x7f", "Bao\x85"]
ADVERTISEMENTS = [
    "Win at https://evil.example", "http://1.2.3.4", "www.evil.example", "evil.com", "Free money: evil.com!",
    "EVIL.COM", "evil.co.uk", "sub.evil.xyz", "ev\u200bil.com", "ｅｖｉｌ．ｃｏｍ", "evil。com", "bit.ly/x",
    "t.me/evil", "ftp://evil", "jetzt kaufen-hier.de", "(evil.io)",
]  # fmt: skip
NAMES = [
    "Bao Nguyen", "J. R. R. Tolkien", "St.John Smith", "Dr.Müller",
    "Anna-Lena O’Neill", "مريم", "שרה כהן", "田中 太郎",
    "می‌خواهم", "Nina Weiß", "bob@example.com", "Ph.D. Jane Doe",
    "Acme Inc.", "X Æ A-12", "🩷", "a/b",
]  # fmt: skip


@pytest.mark.parametrize("text", [*BLANK, *BIDI, *CONTROLS])
def test_line_is_refused(text: str) -> None:
    for validate in (validate_line, validate_person_name):
        with pytest.raises(ValidationError):
            validate(text)


@pytest.mark.parametrize("text", ADVERTISEMENTS)
def test_web_address_is_refused_as_a_name_only(text: str) -> None:
    validate_line(text)
    with pytest.raises(ValidationError) as refused:
        validate_person_name(text)
    assert refused.value.code == "web_address"


@pytest.mark.parametrize("text", NAMES)
def test_name_is_accepted(text: str) -> None:
    validate_person_name(text)
    assert not is_blank(text)


WRONG = ["Bao\u202enimdA", "\u3164\u200b"]
Write = Callable[[Cast, str], Any]


def sign_up(cast: Cast, text: str) -> Any:
    return Client().post("/register/", NINA | {"name": text})


def profile(cast: Cast, text: str) -> Any:
    return signed_in(cast.casey).post("/profile/", {"name": text, "language": "", "time_zone": ""})


def person_in_admin(cast: Cast, text: str) -> Any:
    return save(signed_in(cast.ada), user_page(cast.casey), name=text)


def new_person_in_admin(cast: Cast, text: str) -> Any:
    new = {"email": "new@example.com", "name": text, "role": "agent", "usable_password": "false"}
    return signed_in(cast.ada).post("/admin/accounts/user/add/", new)


def office_in_admin(cast: Cast, text: str) -> Any:
    return save(signed_in(cast.ada), f"/admin/accounts/office/{cast.billing.pk}/change/", name=text)


def status_in_admin(cast: Cast, text: str) -> Any:
    return save(signed_in(cast.ada), f"/admin/tickets/status/{cast.status('Open').pk}/change/", name=text)


def token(cast: Cast, text: str) -> Any:
    return signed_in(cast.casey).post("/profile/tokens/", {"name": text, "days": "30"})


def token_by_api(cast: Cast, text: str) -> Any:
    body = {"email": "casey@example.com", "password": PASSWORD, "name": text}
    return Client().post("/api/v1/auth/token/", body, content_type="application/json")


def new_ticket(cast: Cast, text: str) -> Any:
    fields = {"subject": text, "content": "x", "office": cast.billing.pk, "priority": Priority.default().pk}
    return signed_in(cast.casey).post("/tickets/new/", fields)


def new_ticket_by_api(cast: Cast, text: str) -> Any:
    return ApiClient(cast.casey).post("tickets/", {"subject": text, "content": "x", "office": "Billing"})


def subject_by_api(cast: Cast, text: str) -> Any:
    return ApiClient(cast.bao).patch(f"tickets/{cast.ticket.uuid}/", {"subject": text})


def subject_in_admin(cast: Cast, text: str) -> Any:
    return save(signed_in(cast.bao), ticket_page(cast.ticket), subject=text)


PLACES: list[Write] = [
    sign_up, profile, person_in_admin, new_person_in_admin, office_in_admin, status_in_admin, token, token_by_api,
    new_ticket, new_ticket_by_api, subject_by_api, subject_in_admin,
]  # fmt: skip


def written() -> set[str]:
    names = [model.objects.values_list("name", flat=True) for model in (User, Office, Status, ApiToken)]
    names[-1] = names[-1].exclude(name="ApiClient")
    return {text for texts in (*names, Ticket.objects.values_list("subject", flat=True)) for text in texts}


@pytest.mark.django_db
@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("write", PLACES, ids=lambda place: place.__name__)
def test_each_place_refuses_it_in_its_own_shape(cast: Cast, write: Write, text: str) -> None:
    before = written()
    answer = write(cast, text)
    assert answer.status_code in (200, 422)
    assert written() == before
    if answer.status_code == 422 and answer["Content-Type"] == "application/problem+json":
        assert {error["pointer"].lstrip("#/") for error in answer.json()["errors"]} <= {"name", "subject"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write", [sign_up, profile, person_in_admin, new_person_in_admin], ids=lambda it: it.__name__
)
def test_each_place_refuses_an_advertisement(cast: Cast, write: Write) -> None:
    answer = write(cast, "Cheap loans at evil.com")
    assert "A name can&#x27;t contain a web address." in answer.content.decode()
    assert "Cheap loans at evil.com" not in written()
    assert mail.outbox == []


@pytest.mark.django_db
def test_message_that_shows_nothing_is_empty(cast: Cast) -> None:
    for text in ("\u200b", "\u3164\n\u2800"):
        with pytest.raises(ValidationError, match="Enter a message"):
            services.add_reply(cast.ticket, by=cast.bao, message=text)
    services.add_reply(cast.ticket, by=cast.bao, message="🩷")


@pytest.mark.django_db
def test_names_within_sentences_are_isolated(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    page = signed_in(cast.dana).get(cast.ticket.get_absolute_url()).text
    assert '<bdi data-text="actor.name">Bao Nguyen</bdi> changed' in page
    assert "To <bdi>Casey Rivers</bdi>" in page
    assert "<b data-text" not in page
    assert "Hello, <bdi>Casey Rivers</bdi>" in signed_in(cast.casey).get("/").text


# Variables of sentences that no person has typed; addresses have Latin letters.
OURS = {
    "more",
    "number",
    "provider",
    "most",
    "megabytes",
    "unused",
    "event",
    "email",
    "key",
    "date",
    "time",
    "day",
    "last",
    "week",
    "opened",
    "closed",
    "first",
    "reference",  # of Latin letters and digits
    "after",
    "until",
}


def test_sentences_of_pages_isolate_each_text_of_a_person() -> None:
    isolates, sentences = 0, re.compile(r"{%\s*blocktranslate.*?%}(.*?){%\s*endblocktranslate", re.DOTALL)
    for template in (TOP / "templates").rglob("*.html"):
        text = re.sub(r"{% block head_title %}.*", "", template.read_text())  # a title has no elements
        for sentence in sentences.findall(text):
            rest, found = re.subn(r"<bdi[^>]*>.*?</bdi>", "", sentence, flags=re.DOTALL)
            isolates += found
            assert set(re.findall(r"{{\s*(.*?)\s*}}", rest)) <= OURS, f"{template}: {sentence}"
    assert isolates > 40


@pytest.mark.parametrize("text", ["مريم", "שרה (2)", "Office שרה"])
def test_right_to_left_text_is_isolated_in_plain_text(text: str) -> None:
    assert isolated(text) == f"\u2068{text}\u2069"


@pytest.mark.parametrize("text", ["", "Bao Nguyen", "田中 太郎", "4711", "(Nina)", "🩷"])
def test_other_text_is_unchanged_in_plain_text(text: str) -> None:
    assert isolated(text) == text


@pytest.mark.django_db
def test_messages_isolate_names(cast: Cast) -> None:
    client = test_tokens.signed_in("casey")
    test_tokens.make(client, name="مفتاح")
    client.post(f"/profile/tokens/{ApiToken.objects.get(name='مفتاح').id}/revoke/")
    assert "“\u2068مفتاح\u2069” was revoked." in client.get("/profile/tokens/").text
