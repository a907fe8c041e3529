"""What a search finds: the same tickets on every database. The tests of PostgreSQL import this module."""

import os
import re
import unicodedata

import pytest
from django.db import connection
from django.db.models import QuerySet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.text.folding import fold
from tests.support.cast import Cast
from tickets import counts, list_queries, policies, services
from tickets.list_queries import Found, TicketFilter
from tickets.models import Reply, SearchText, Ticket
from tickets.search import indexing, queries, search
from tickets.search.terms import parse

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))


@pytest.fixture(autouse=True)
def references_without_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make references that no digit of a test finds by chance."""
    monkeypatch.setattr("tickets.models.tickets.REFERENCE_ALPHABET", "BCDFGHJKMNPQRSTVWXZ")


def found(user: User, typed: str) -> list[str]:
    """Return the subjects of the tickets that `user` finds, best match first."""
    tickets = search(policies.listed_tickets(user), typed, user=user)
    return [ticket.subject for ticket in list_queries.paginate(tickets, list_queries.BEST_MATCH).rows]


def ask(cast: Cast, subject: str, content: str = "x", by: User | None = None) -> Ticket:
    return services.open_ticket(by=by or cast.casey, subject=subject, content=content, office=cast.billing)


def test_codes_and_parts_are_found_whole_words_first(cast):
    ask(cast, "4711")
    ask(cast, "Rechnung INV-4711")
    ask(cast, "Order 24711")
    ask(cast, "Mail of jane@acme-corp.com")
    ask(cast, "acme")
    ask(cast, "Acme, Inc.")
    ask(cast, "Nothing")
    assert found(cast.bao, "4711") == ["4711", "Order 24711", "Rechnung INV-4711"]
    assert found(cast.bao, "inv-4711") == ["Rechnung INV-4711"]
    assert found(cast.bao, "acme") == ["Acme, Inc.", "acme", "Mail of jane@acme-corp.com"]
    assert found(cast.bao, "rechnung 4711") == ["Rechnung INV-4711"]


@pytest.mark.parametrize(
    ("subject", "typed"),
    [
        ("Herr Müller", ["Muller", "muller", "MÜLLER", "Mu\u0308ller", "üll"]),
        ("résumé", ["resume", "RÉSUMÉ", "re\u0301sume\u0301"]),
        ("Inês Brandão", ["ines", "brandao", "BRANDÃO"]),
        ("Re\u0301sume\u0301 vom Mac", ["résumé", "resume"]),
        ("Straße gesperrt", ["strasse", "STRASSE", "straße"]),
        ("Łódź und Ørsted", ["lodz", "orsted", "Łódź"]),
        ("ﬁnance oﬃce", ["finance", "office"]),
        ("ＩＮＶ－４７１１", ["inv-4711", "4711", "ＩＮＶ"]),
        ("٤٧١١ فاتورة", ["4711", "٤٧١١", "فاتورة"]),
        ("发票已付", ["发票", "票已", "已付", "发", "付", "发票已付"]),
        ("請求書INV-9について", ["請求", "求書", "inv-9", "ついて"]),
        ("アイフォン", ["ｱｲﾌｫﾝ", "フォン", "アイ"]),
        ("전자세금계산서", ["세금", "전자", "서"]),
        ("ใบแจ้งหนี้", ["แจ้ง", "หนี้", "ใบ"]),
        ("हिन्दी में", ["हिन्दी", "हिन", "में"]),
        ("שָׁלוֹם עולם", ["שלום", "שָׁלוֹם"]),
        ("Ёлка ΟΔΟΣ", ["елка", "οδός"]),
        ("Form A4, page 7", ["A4", "a4", "7", "page 7", '"page 7"']),
        ("Section 3.5_beta", ["3.5", "5", "beta", "3.5_beta"]),
        ("C++ costs 20% off #42 💥", ["C++", "20%", "%", "#42", "💥"]),
        ("It’s O'Neil’s", ["it's", "O’Neil", "neil"]),
        ("git push --force", ["--force", "git --force", "-force", "push"]),
        ("Temperature -5 degrees", ["-5", "temperature -5"]),
        ("Žluťoučký kůň", ["zlutoucky", "KUN", "kůň"]),
        ("Đặng Ngọc", ["dang", "ĐẶNG"]),
        ("İstanbul Işık", ["istanbul", "ISTANBUL"]),
        ("Ærø and œuvre", ["aero", "oeuvre", "Ærø"]),
        ("ΆΛΦΑ Ψωμί", ["αλφα", "ψωμι"]),
        ("Ｆｕｌｌｗｉｄｔｈ", ["full", "width", "ｗｉｄｔｈ"]),
        ("مُحَمَّد أحمد", ["محمد"]),
        ("ভাষা এবং ગુજરાતી", ["ভাষা", "ગુજરાતી"]),
        ("IMG_2024-05.jpg.zip", ["img_2024", "2024-05", "jpg", "zip"]),
        ("user@sub.firm.example", ["sub.firm", "firm.example", "user@sub"]),
        ("DE89 3704 0044 0532 0130 00", ["3704", '"3704 0044"', "de89"]),
        ("v2.10.3-rc1 (build #7781)", ["2.10.3", "rc1", "#7781", "7781"]),
        ("C:\\Temp\\log.txt", ["temp", "log.txt"]),
        ("soft\u00adware zero\u200bwidth", ["software", "zerowidth"]),
        ("Mail jane@acme-corp.com", ["acme", "jane@acme-corp.com", "corp.com", "jane@", "JANE"]),
    ],
)
def test_words_are_found_in_any_spelling(cast, subject, typed):
    cast.reply(cast.bao, "Something else")
    ask(cast, subject)
    for text in typed:
        assert found(cast.bao, text) == found(cast.casey, text) == [subject], text
    for form in ("NFC", "NFD"):
        for word in subject.split():
            assert found(cast.casey, unicodedata.normalize(form, word)) == [subject], word


@pytest.mark.parametrize(
    ("typed", "subjects"),
    [
        ("charged may", ["Charged twice", "Invoice for May"]),
        ("CHARGED", ["Charged twice", "Invoice for May"]),
        ('"two charges"', ["Charged twice"]), ('"charges two"', []), ("“two CHARGES”", ["Charged twice"]),
        ("charged -order", ["Charged twice"]), ('charged -"order ord"', ["Charged twice"]),
        ("-order charged", ["Invoice for May"]),
        ("two char", ["Charged twice"]), ("off arm", ["Chair"]), ("mchair", ["Chair"]), ("4711", ["Invoice for May"]),
        ("greta", ["Chair", "Invoice for May"]), ("lind", ["Chair", "Invoice for May"]), ("greta leg", ["Chair"]),
        ("greta@example.com", ["Chair", "Invoice for May"]), ("greta@", ["Chair", "Invoice for May"]),
        ("GRETA@example", ["Chair", "Invoice for May"]), ("example.com charged twice", ["Charged twice"]),
        ("elephant", []), ("leg elephant", []), ("charged -twice -order", []),
    ],
)  # fmt: skip
def test_search_finds_subjects_messages_and_customers(cast, typed, subjects):
    ask(cast, "Chair", "A leg fell off the armchair", by=cast.greta)
    ask(cast, "Invoice for May", "Order ORD-4711-X was charged", by=cast.greta)
    assert sorted(found(cast.ada, typed)) == subjects


def test_words_may_be_in_different_messages(cast):
    cast.reply(cast.bao, "A zebra")
    cast.reply(cast.casey, "An elephant")
    assert found(cast.casey, "zebra elephant charged") == ["Charged twice"]
    assert found(cast.casey, '"zebra an elephant"') == []


def test_address_is_found_by_staff_only(cast):
    for typed in ("casey@example.com", "casey@ex", "CASEY@EXAMPLE.COM"):
        assert found(cast.bao, typed) == ["Charged twice"]
        assert found(cast.casey, typed) == []


def test_new_subject_and_visibility_are_found(cast):
    services.update_ticket(cast.ticket, by=cast.bao, values={"subject": "Späte Lieferung"})
    reply = cast.reply(cast.bao, "Ein Zebra")
    assert found(cast.casey, "spate") == found(cast.casey, "zebra") == found(cast.casey, "charges") != []
    assert found(cast.casey, "twice") == []
    note = services.change_visibility(reply, by=cast.bao, internal=True)
    assert (found(cast.casey, "zebra"), found(cast.bao, "zebra")) == ([], ["Späte Lieferung"])
    services.change_visibility(note, by=cast.bao, internal=False)
    assert found(cast.casey, "zebra") == ["Späte Lieferung"]
    services.delete_reply(note, by=cast.ada)
    assert found(cast.bao, "zebra") == []


def test_rows_written_without_save_are_found(cast):
    Ticket.objects.filter(pk=cast.ticket.pk).update(subject="Giraffe")
    Reply.objects.bulk_create([Reply(ticket=cast.ticket, author=cast.casey, message="An okapi", number=9)])
    assert found(cast.casey, "giraffe okapi") == ["Giraffe"]
    Reply.objects.filter(number=9).update(is_internal=True)
    assert found(cast.casey, "okapi") == []


def test_messages_are_indexed_again(cast):
    cast.reply(cast.casey, "A zebra")
    cast.reply(cast.bao, "A lion", internal=True)
    before = list(SearchText.objects.order_by("text").values("ticket", "reply", "is_internal", "text", "version"))
    SearchText.objects.filter(text__contains="zebra").delete()
    SearchText.objects.exclude(text__contains="lion").update(text=" old ", version=0)
    assert found(cast.bao, "old") == ["Charged twice"]
    assert sum(indexing.index_again()) == 2
    assert sum(indexing.index_again()) == 0
    assert sum(indexing.index_again(everything=True)) == len(before)
    assert list(SearchText.objects.order_by("text").values(*before[0])) == before
    assert found(cast.bao, "old") == []
    assert found(cast.bao, "zebra lion charged") == ["Charged twice"]


def test_note_is_found_by_staff_of_its_ticket_only(cast):
    cast.reply(cast.bao, "Suspicious zebra", internal=True)
    for typed in ("zebra", "suspicious zeb", "ebr", '"suspicious zebra"', "ze", "charged zebra"):
        assert found(cast.ada, typed) == found(cast.bao, typed) == ["Charged twice"], typed
        assert found(cast.casey, typed) == found(cast.emil, typed) == [], typed
    assert found(cast.casey, "charged -zebra") == ["Charged twice"]
    assert found(cast.bao, "charged -zebra") == []


WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\x00"), min_size=1, max_size=8
).filter(lambda text: text.strip() == text and text.split() == [text])
TEXTS = st.lists(
    st.one_of(
        WORDS,
        st.sampled_from(
            ["Müller", "Straße", "发票已付", "INV-4711", "a", "A4", "résumé", "ｶﾞ", "हिन्दी", "ﬁn", "e\u0301", "x@y.z"]
        ),
    ),
    min_size=1,
    max_size=6,
)  # fmt: skip
RANDOM = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@RANDOM
@example(parts=["0\u1cd01"])  # a mark between two digits, which are one word
@given(parts=TEXTS)
def test_each_word_of_any_text_finds_its_ticket(cast, parts):
    text = " ".join(parts)
    Ticket.objects.filter(pk=cast.ticket.pk).update(content=text)
    words = {*text.split(), *re.findall(r"\w+", fold(text))}
    spellings = {spelled for word in words for spelled in (word, word.upper(), word.lower(), word.casefold())}
    for word in spellings | {unicodedata.normalize("NFD", word) for word in words}:
        if indexing.searchable(word).strip(' "'):
            assert found(cast.casey, word) == ["Charged twice"], (word, text)


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[str], str]:
    """Return the texts of three messages, and a search for words and parts of them."""
    texts = draw(st.lists(TEXTS, min_size=3, max_size=3))
    words = st.sampled_from([word for text in texts for word in text])
    pairs = st.sampled_from([" ".join(text[-2:]) for text in texts])
    parts = st.tuples(words, st.integers(0, 3), st.integers(1, 5)).map(lambda cut: cut[0][cut[1] :][: cut[2]])
    shaped = st.tuples(st.sampled_from(["{}", "{}", "-{}", '"{}"', '-"{}"']), st.one_of(words, parts, pairs))
    typed = st.lists(shaped.map(lambda shape: shape[0].format(shape[1])), min_size=1, max_size=3).map(" ".join)
    # The form strips what is typed; without text it is no search.
    return [" ".join(text) for text in texts], draw(typed.map(str.strip).filter(bool))


def containing(user: User, typed: str) -> set[str]:
    """Return the subjects of the tickets that contain what is typed, without the database's help."""
    query, subjects = parse(typed), set()
    for ticket in policies.visible_tickets(user) if query.terms else []:
        readable = ticket.search_texts.exclude(**{} if policies.is_staff_of(user, ticket) else {"is_internal": True})
        texts = [*readable.values_list("text", flat=True), ticket.creator.folded_name]
        texts += [] if user.is_customer else [f" {ticket.creator.email} "]
        found, excluded = ([any(map(term.is_in, texts)) for term in terms] for terms in (query.terms, query.excluded))
        if all(found) and not any(excluded):
            subjects.add(ticket.subject)
    return subjects


@settings(RANDOM, max_examples=EXAMPLES // 3)
@given(searched=searches())
def test_search_finds_exactly_the_tickets_that_contain_its_terms(cast, monkeypatch, searched):
    """And so the same on every database."""
    for module, name, number in (
        (list_queries, "LATEST", (0, 1)),
        (list_queries, "ENOUGH", 1),
        (queries, "FREQUENT", 0),
    ):
        monkeypatch.setattr(module, name, number)
    (content, message, note), typed = searched
    if not Ticket.objects.filter(subject="Chair").exists():
        ask(cast, "Chair", by=cast.greta)
        cast.reply(cast.bao, "x")
        cast.reply(cast.bao, "x", internal=True)
    Ticket.objects.filter(subject="Chair").update(content=content)
    cast.ticket.replies.filter(is_internal=False).update(message=message)
    cast.ticket.replies.filter(is_internal=True).update(message=note)
    for user in (cast.ada, cast.casey):
        subjects_found = found(user, typed)
        assert set(subjects_found) == containing(user, typed), (user.name, typed, searched)
        assert subjects(first_page(user, typed, is_first_page=True), 1) == subjects_found[:1], (user.name, typed)


def first_page(user: User, typed: str, **options: bool) -> QuerySet[Ticket]:
    searched = TicketFilter(views=("all",), words=typed, sort=list_queries.BEST_MATCH)
    return list_queries.find_tickets(user, searched, **options).tickets


def subjects(tickets: QuerySet[Ticket], size: int) -> list[str]:
    return [ticket.subject for ticket in list_queries.paginate(tickets, list_queries.BEST_MATCH, size=size).rows]


def test_first_page_of_frequent_words_reads_the_latest_tickets_only(cast, monkeypatch, django_assert_num_queries):
    for module, name, number in (
        (list_queries, "LATEST", (2, 5)),
        (list_queries, "ENOUGH", 4),
        (queries, "FREQUENT", 6),
    ):
        monkeypatch.setattr(module, name, number)
    for number in range(8):
        ask(cast, f"A walrus, and a seal that is {number}")
    ask(cast, "Walruses")
    for user in (cast.ada, cast.bao):
        everything, latest = first_page(user, "walrus"), first_page(user, "walrus", is_first_page=True)
        assert (everything.count(), latest.count()) == (9, 6)
        assert subjects(latest, 4) == subjects(everything, 4) != []
        assert "Walruses" not in subjects(latest, 4)
        # Words in too few of the latest tickets, or in too few of all, are searched for in all.
        for typed in ("walruses", "walrus -seal", "seal charged"):
            assert subjects(first_page(user, typed, is_first_page=True), 4) == subjects(first_page(user, typed), 4)
        with django_assert_num_queries(1):
            assert first_page(user, "elephant", is_first_page=True).query
        with django_assert_num_queries(5):  # is it frequent, and twice where the latest begin, and whether they do
            first_page(user, "walrus", is_first_page=True)
    with django_assert_num_queries(1):  # which tickets the customer has
        assert first_page(cast.casey, "walrus", is_first_page=True).query
    # Parts of words do not count.
    monkeypatch.setattr(list_queries, "ENOUGH", 6)
    assert first_page(cast.ada, "walrus", is_first_page=True).count() == 9
    # All tickets of a user are as few as the latest.
    monkeypatch.setattr(list_queries, "LATEST", (100,))
    assert first_page(cast.ada, "walrus", is_first_page=True).count() == 9


def test_customer_with_many_tickets_searches_the_index(cast, monkeypatch):
    few = str(first_page(cast.casey, "charged").query)
    monkeypatch.setattr(queries, "MAX_KEYS", 0)
    many = first_page(cast.casey, "charged")
    assert [ticket.subject for ticket in many] == ["Charged twice"]
    assert list(first_page(User.objects.create_user("new@example.com", name="New"), "charged")) == []
    assert " MATCH " in str(many.query) or connection.vendor == "postgresql"
    assert " MATCH " not in few


def test_number_of_a_search_in_the_latest_tickets_is_a_lower_bound(cast, monkeypatch):
    searched = Found(Ticket.objects.all(), is_partial=True)
    ask(cast, "Another")
    assert counts.count_found(searched) == (0, True)
    assert counts.count_found(Found(Ticket.objects.all())) == (Ticket.objects.count(), False)
    monkeypatch.setattr(counts, "MAX_COUNT", 2)
    assert counts.count_found(searched) == (1, True)
