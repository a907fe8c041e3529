"""Folded text: what counts as the same word, for search and for the order of people."""

import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.text.folding import fold, searchable
from tests.support.api_client import ApiClient
from tickets import policies

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Müller", "muller"), ("résumé", "resume"), ("Inês", "ines"), ("Straße", "strasse"), ("STRASSE", "strasse"),
        ("Ärne Groß", "arne gross"), ("Łódź", "lodz"), ("Ørsted", "orsted"), ("Æsir œuvre", "aesir oeuvre"),
        ("Þór Đặng", "thor dang"), ("İstanbul ISPARTA ısı", "istanbul isparta isi"), ("ﬁnance ﬀ", "finance ff"),
        ("ＩＮＶ－４７１１", "inv-4711"), ("ｱｲﾌｫﾝ", "アイフォン"), ("が", "か\u3099"), ("한국", "한국"),
        ("ΟΔΟΣ οδός", "οδοσ οδοσ"), ("Ёлка й", "елка и"), ("שָׁלוֹם", "שלום"), ("مُحَمَّد أحمد", "محمد احمد"),
        ("٤٧١١", "4711"), ("don’t", "don't"), ("„Zitat“ «x»", '"zitat" "x"'), ("a–b", "a-b"),
        ("so\u00adft\u200bware", "software"), ("Ⅳ ½ x²", "iv 1/2 x2"), ("❤\ufe0f", "❤"),
    ],
)  # fmt: skip
def test_text_is_folded(text, folded):
    folded = unicodedata.normalize("NFKC", folded)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(unicodedata.normalize(form, text)) == folded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""), (" \n ", ""), ("Two  charges,\tfor *May*.", " two charges , for * may * . "),
        ("Rechnung INV-4711, paid", " rechnung inv-4711 , paid "), ("jane@acme-corp.com.", " jane@acme-corp.com . "),
        ("--force -5", " - - force - 5 "), ("a--b", " a - - b "), ("20% off", " 20 % off "), ("geht´s", " geht's "),
        ("发票INV-1", " 发 票 inv-1 "), ("สวัสดี", " ส ว ั ส ด ี "), ("हिन्दी", " ह ि न ् द ी "), ("👍🏽", " 👍 🏽 "),
    ],
)  # fmt: skip
def test_words_are_separated(text, words):
    assert searchable(text) == words


@settings(max_examples=EXAMPLES, deadline=None, derandomize="FUZZ_EXAMPLES" not in os.environ)
@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=5))
def test_words_of_a_text_are_the_words_of_its_parts(parts):
    whole = searchable(" ".join(parts))
    for form in ("NFC", "NFD"):
        assert searchable(unicodedata.normalize(form, " ".join(parts))) == whole
    assert whole.split() == [word for part in parts for word in searchable(part).split()]


@pytest.mark.django_db
def test_people_are_sorted_as_their_readers_expect(cast):
    User.objects.all().update(is_active=False)
    expected = ["anna Klein", "Ärne Groß", "Łukasz Nowak", "luke Novak", "Özil Demir", "Zoe Adams"]
    for name in reversed(expected):
        role = User.Role.AGENT
        User.objects.create_user(f"p{expected.index(name)}@example.com", name="?", role=role)
        User.objects.filter(email=f"p{expected.index(name)}@example.com").update(name=name)
    assert [user.name for user in policies.assignable_users()] == expected
    cast.ada.is_active = True
    cast.ada.save()
    people = [row["name"] for row in ApiClient(cast.ada).get("assignees/").json()]
    assert people == sorted(people, key=searchable) == ["Ada Admin", *expected]


@pytest.mark.django_db
@pytest.mark.parametrize("term", ["arne", "ÄRNE gross", "groß", "A\u0308rne", "arne@", "arn"])
def test_admin_finds_people_by_folded_name(cast, client, term):
    User.objects.create_user("arne@example.com", name="Ärne Groß")
    client.force_login(cast.ada)
    page = client.get("/admin/accounts/user/", {"q": term})
    assert [user.name for user in page.context["cl"].result_list] == ["Ärne Groß"]


@pytest.mark.django_db
def test_name_is_folded_however_it_is_saved(cast):
    cast.greta.name = "Ärne"
    cast.greta.save(update_fields=["name"])
    made = User.objects.create(email="new@example.com", name="ÖZIL")
    assert {" arne ", " ozil ", " casey rivers "} <= set(User.objects.values_list("folded_name", flat=True))
    User.objects.filter(pk=made.pk).update(name="Zoë")
    assert User.objects.get(pk=made.pk).folded_name == " zoe "
