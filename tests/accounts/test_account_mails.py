"""Account mails leave in jobs: requests answer without the mail server, and links are those of the sending."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import DeskSettings, User
from jobs.models import Job
from tests.support.cast import Cast
from tests.support.jobs import run_due_jobs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_worker")]

NINA = {"name": "Nina", "email": "nina@example.com", "password1": "a-long-phrase-7", "password2": "a-long-phrase-7"}


def links(kind: str) -> list[str]:
    return [link for letter in mail.outbox for link in re.findall(rf"http://testserver(/{kind}/\S+)", letter.body)]


def ask_for_reset(email: str) -> int:
    return Client().post("/password/reset/", {"email": email}).status_code


def test_sign_up_and_reset_answer_before_any_mail_is_sent(cast: Cast) -> None:
    assert Client().post("/register/", NINA)["Location"] == "/email/sent/"
    assert ask_for_reset(cast.casey.email) == 302
    assert ask_for_reset("stranger@example.com") == 302
    assert mail.outbox == []
    run_due_jobs()
    assert sorted(letter.to[0] for letter in mail.outbox) == [
        cast.casey.email,
        "nina@example.com",
        "stranger@example.com",
    ]
    assert {letter.from_email for letter in mail.outbox} == {"TIKM <desk@example.com>"}


def test_links_work_and_are_not_stored(cast: Cast) -> None:
    Client().post("/register/", NINA)
    ask_for_reset(cast.casey.email)
    stored = "".join(str(job.arguments) for job in Job.objects.all())
    run_due_jobs()
    [confirmation], [reset] = links("email/confirm"), links("password/reset")
    for link in (confirmation, reset):
        assert link.rstrip("/").rpartition("/")[2] not in stored
        assert Client().get(link, follow=True).status_code == 200
    assert [job.arguments for job in Job.objects.all()] == [{}, {}]


@pytest.mark.parametrize("change", ["deactivated", "deleted", "another address"])
def test_link_that_may_not_be_used_any_more_is_not_sent(cast: Cast, change: str) -> None:
    ask_for_reset(cast.casey.email)
    if change == "deactivated":
        User.objects.filter(pk=cast.casey.pk).update(is_active=False)
    elif change == "deleted":
        EmailAddress.objects.filter(user=cast.casey).delete()
        Job.objects.filter(arguments__user_id=str(cast.casey.pk)).update(
            arguments={**Job.objects.get().arguments, "user_id": "00000000-0000-4000-8000-000000000000"}
        )
    else:
        EmailAddress.objects.filter(user=cast.casey).delete()
        EmailAddress.objects.create(user=cast.casey, email="new@example.com", verified=True, primary=True)
    run_due_jobs()
    assert links("password/reset") == []
    assert Job.objects.get().state == "done"


def test_confirmed_address_gets_no_further_link(db: None) -> None:
    Client().post("/register/", NINA)
    EmailAddress.objects.update(verified=True)
    run_due_jobs()
    assert links("email/confirm") == []


@pytest.mark.parametrize(
    ("language", "text"), [("de", "bestätigen"), ("es-MX", "para confirmar"), ("fr-CA", "pour confirmer")]
)
def test_mail_is_in_the_language_of_the_request(db: None, language: str, text: str) -> None:
    Client(headers={"accept-language": language}).post("/register/", NINA)
    run_due_jobs()
    assert text in mail.outbox[0].body.lower()


def test_mail_of_a_form_that_fails_is_not_sent(cast: Cast) -> None:
    assert Client().post("/register/", NINA | {"password2": "another"}).status_code == 200
    assert not Job.objects.exists()


def test_mails_have_the_name_and_sender_of_the_desk_as_text_and_html(cast: Cast) -> None:
    DeskSettings(site_name="Example Help", sender_name="Example", sender_address="help@example.com").save()
    ask_for_reset(cast.casey.email)
    run_due_jobs()
    [letter] = mail.outbox
    [(html, kind)] = letter.alternatives
    assert (letter.from_email, kind) == ("Example <help@example.com>", "text/html")
    [link] = links("password/reset")
    assert f'<a href="http://testserver{link}"' in html
    assert re.search(rf'<a class="button" href="http://testserver{link}"[^>]*>Choose a new password</a>', html)
    assert html.count("open this link") == html.count("ignore this email") == 1
    for text in (letter.body, html):
        assert "Example Help" in text
        assert "TIKM" not in text
