"""Mails have the logo of their sender inside, so that no mail program asks a server for it."""

import re
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.mails.logos import Logo, set_logo
from accounts.models import DeskSettings, MailLogo, Office
from audit.models import AuditEntry
from tests.mail.outbound.test_customer_mails import html_of, sent
from tests.tickets.files.test_location import POSITION, exif

pytestmark = pytest.mark.django_db


def picture(width=200, height=80, kind="PNG", color="red", **options):
    file = BytesIO()
    Image.new("RGB", (width, height), color).save(file, kind, **options)
    return file.getvalue()


def reply_mail(cast):
    cast.reply(cast.bao, "Answer")
    [message] = sent()
    return message


def test_mail_without_a_logo_has_the_name_of_the_desk(cast):
    message = reply_mail(cast)
    assert "cid:" not in html_of(message)
    assert message.message().get_content_type() == "multipart/alternative"


def test_mail_has_the_logo_of_its_office_or_else_of_the_site(cast):
    site, office = picture(color="red"), picture(color="blue", kind="JPEG")
    set_logo(None, site)
    message = reply_mail(cast)
    shown = re.search("<img class=.logo[^>]*>", html_of(message))[0]
    for attribute in ('src="cid:logo"', 'width="100"', 'height="40"', 'alt="TIKM"'):
        assert attribute in shown
    mime = message.message()
    assert [part.get_content_type() for part in mime.walk()] == [
        "multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png",
    ]  # fmt: skip
    part = list(mime.walk())[-1]
    assert (part["Content-ID"], part.get_payload(decode=True)) == ("<logo>", site)
    assert part["Content-Disposition"].startswith("inline")
    set_logo(cast.billing, office)
    assert list(reply_mail(cast).message().walk())[-1].get_payload(decode=True) == office
    Office.objects.filter(pk=cast.billing.pk).update(is_internal=True)
    assert list(reply_mail(cast).message().walk())[-1].get_payload(decode=True) == site


def test_alternative_text_is_escaped(cast):
    DeskSettings(site_name='A "B" <C>').save()
    set_logo(None, picture())
    assert re.search('alt="A &quot;B&quot; (<|&lt;)C(>|&gt;)"', html_of(reply_mail(cast)))


@pytest.mark.parametrize(
    "image",
    [b"", b"<svg/>", picture(kind="GIF"), picture()[:20], picture(2001, 1), picture() + b"\0" * 100 * 1024],
    ids=["empty", "svg", "gif", "cut", "wide", "large"],
)
def test_other_files_are_refused(image):
    with pytest.raises(ValidationError):
        Logo.read(image)


@pytest.mark.parametrize(("size", "shown"), [((10, 10), (10, 10)), ((2000, 10), (280, 1)), ((400, 800), (20, 40))])
def test_logo_is_never_enlarged_and_keeps_its_shape(size, shown):
    logo = Logo.read(picture(*size))
    assert (logo.width, logo.height) == shown


@pytest.mark.parametrize("place", ["desk", "office"])
def test_admins_set_replace_and_remove_it_on_the_settings_page(cast, place):
    client = Client()
    client.force_login(cast.ada)
    address = "/settings/desk/" if place == "desk" else f"/settings/offices/{cast.billing.pk}/"
    form = client.get(address).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}

    def save(**changes):
        return client.post(address, data | changes).status_code

    assert save(logo=SimpleUploadedFile("logo.svg", b"<svg/>")) == 422
    assert save(logo=SimpleUploadedFile("logo.png", picture())) == 302
    assert bytes(MailLogo.objects.get().image) == picture()
    assert "data:image/png;base64," in client.get(address).text
    assert save() == 302  # stays
    assert save(logo=SimpleUploadedFile("logo.jpg", picture(kind="JPEG"))) == 302
    assert bytes(MailLogo.objects.get().image) == picture(kind="JPEG")
    photograph = picture(kind="JPEG", exif=exif())
    assert photograph.count(POSITION[29].encode()) == 1
    assert save(logo=SimpleUploadedFile("logo.jpg", photograph)) == 302
    image = bytes(MailLogo.objects.get().image)
    assert [place in image for place in (POSITION[29].encode(), b"Camera")] == [False, True]
    assert save(removes_logo="on") == 302
    assert not MailLogo.objects.exists()
    assert AuditEntry.objects.filter(subject_type="accounts.maillogo").count() == 4
