"""What a search finds: the same tickets on every database. The tests of PostgreSQL import this module."""

import os
import re
import unicodedata
from itertools import pairwise
from unittest import mock

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.text.folding import fold
from tests.support.cast import Cast
from tickets import counts, list_pages, list_queries, policies, services
from tickets.list_queries import TicketFilter
from tickets.models import Reply, SearchText, Ticket
from tickets.search import indexing, pages, queries, search
from tickets.search.pages import Found
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
    return [ticket.subject for ticket in list_pages.paginate(tickets, list_pages.BEST_MATCH).rows]


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
    read_little(monkeypatch, step=1, most=2, enough=1)
    (content, message, note), typed = searched
    if not Ticket.objects.filter(subject="Chair").exists():
        ask(cast, "Chair", by=cast.greta)
        cast.reply(cast.bao, "x")
        cast.reply(cast.bao, "x", internal=True)
    Ticket.objects.filter(subject="Chair").update(content=content)
    cast.ticket.replies.filter(is_internal=False).update(message=message)
    cast.ticket.replies.filter(is_internal=True).update(message=note)
    for user in (cast.ada, cast.casey):
        expected = containing(user, typed)
        for few in (2_000, 0):  # by reading texts, and by the index
            monkeypatch.setattr(queries, "FEW", few)
            assert set(found(user, typed)) == expected, (user.name, typed, searched)
        for sort in (list_pages.BEST_MATCH, "updated"):
            assert browse(user, typed, sort, size=1) == in_all_tickets(user, typed, sort), (user.name, typed)


def read_little(monkeypatch: pytest.MonkeyPatch, *, step: int, most: int, enough: int) -> None:
    """Let frequent words be those of any number of texts, and read few tickets for them."""
    for module, name, number in (
        (queries, "FEW", 0),
        (pages, "STEP", step),
        (pages, "MAX_STEPS", most),
        (pages, "ENOUGH", enough),
    ):
        monkeypatch.setattr(module, name, number)


def page_of(
    user: User, typed: str, sort: str = list_pages.BEST_MATCH, size: int = 4, **cursor: str
) -> list_pages.Page:
    listed = TicketFilter(views=("all",), words=typed, sort=sort)
    tickets = list_queries.find_page(user, listed, size=size, **cursor).tickets
    return list_pages.paginate(tickets, sort, size=size, **cursor)


def browse(user: User, typed: str, sort: str, size: int) -> list[str]:
    """Return the subjects of all pages; each page before another one has the same rows again."""
    read = [page_of(user, typed, sort, size)]
    while read[-1].older:
        read.append(page_of(user, typed, sort, size, after=read[-1].older))
    for newer, page in pairwise(read):
        assert page_of(user, typed, sort, size, before=page.newer).rows == newer.rows
    return [ticket.subject for page in read for ticket in page.rows]


def in_all_tickets(user: User, typed: str, sort: str) -> list[str]:
    tickets = policies.listed_tickets(user)
    found = queries.search_index(tickets, parse(typed), user) if parse(typed).terms else tickets.none()
    return [ticket.subject for ticket in list_pages.in_order(found, sort)] if parse(typed).terms else []


@pytest.mark.parametrize(("step", "most", "enough"), [(3, 1, 1), (3, 2, 2), (100, 1, 3)])
def test_every_page_of_frequent_words_is_that_of_all_tickets(cast, monkeypatch, step, most, enough):
    for number in range(4):
        ask(cast, f"A walrus, and a seal that is {number}")
        ask(cast, f"Walruses {number}" if number % 2 else f"Others {number}")
    read_little(monkeypatch, step=step, most=most, enough=enough)
    for user in (cast.ada, cast.bao):
        for typed in ("walrus", "walrus -seal", "seal charged", "ruses"):
            for sort in (list_pages.BEST_MATCH, "updated", "-priority"):
                assert browse(user, typed, sort, size=2) == in_all_tickets(user, typed, sort), (
                    user.name,
                    typed,
                    sort,
                )


def test_page_of_frequent_words_asks_no_index_of_all_texts(cast, monkeypatch):
    index = mock.Mock(side_effect=queries.search_index)
    monkeypatch.setattr(pages, "search_index", index)
    for number in range(12):
        ask(cast, f"A walrus {number}")
    read_little(monkeypatch, step=3, most=4, enough=3)
    for user in (cast.ada, cast.bao):
        for sort in (list_pages.BEST_MATCH, "updated", "-created"):
            first = page_of(user, "walrus", sort)
            second = page_of(user, "walrus", sort, after=first.older)
            assert len({*first.rows, *second.rows}) == 8, sort
    assert len(page_of(cast.ada, "walru", after=page_of(cast.ada, "walru").older).rows) == 4
    assert not index.called
    page_of(cast.ada, "charged")  # too far back
    assert index.called


def test_words_of_few_texts_ask_no_index_of_all_texts(cast, monkeypatch):
    monkeypatch.setattr(queries, "FEW", 2)
    for number in range(4):
        ask(cast, f"A walrus {number}")
    index = mock.Mock(side_effect=queries.search_index)
    monkeypatch.setattr(queries, "search_index", index)
    assert found(cast.ada, "charged") == ["Charged twice"]
    assert found(cast.ada, "walrus 3") == ["A walrus 3"]
    assert not index.called
    assert len(found(cast.ada, "walrus")) == 4
    assert index.called


def test_customer_with_many_tickets_searches_the_index(cast, monkeypatch):
    monkeypatch.setattr(queries, "FEW", 0)
    many = search(policies.listed_tickets(cast.casey), "charged", user=cast.casey)
    assert [ticket.subject for ticket in many] == ["Charged twice"]
    assert found(User.objects.create_user("new@example.com", name="New"), "charged") == []
    assert " MATCH " in str(many.query) or connection.vendor == "postgresql"


def test_customers_search_reads_their_own_tickets_only(cast, django_assert_num_queries):
    """How many texts of others have a word must not show in the time that it takes."""
    policies.visible_tickets(cast.casey).first()
    with django_assert_num_queries(4) as captured:  # which tickets, their texts, their customers, and the list
        assert found(cast.casey, "charged") == ["Charged twice"]
    assert all('ticket_id" IN' in query["sql"] for query in captured if "searchtext" in query["sql"])


def test_number_of_frequent_words_is_a_lower_bound(cast, monkeypatch):
    ask(cast, "Another")
    assert counts.count_found(Found(Ticket.objects.all())) == (Ticket.objects.count(), False)
    assert counts.count_found(Found(Ticket.objects.all(), at_least=201)) == (200, True)
    assert counts.count_found(Found(Ticket.objects.all(), at_least=1500)) == (999, True)
    monkeypatch.setattr(counts, "MAX_COUNT", 2)
    assert counts.count_found(Found(Ticket.objects.all())) == (1, True)


def test_number_is_the_same_on_every_page_and_in_every_order(cast, monkeypatch):
    for number in range(12):
        ask(cast, f"A walrus {number}")
    read_little(monkeypatch, step=5, most=2, enough=3)
    shown = set()
    for sort in (list_pages.BEST_MATCH, "-updated", "updated", "created"):
        first = page_of(cast.ada, "walrus", sort)
        for cursor in ({}, {"after": first.older}):
            listed = TicketFilter(views=("all",), words="walrus", sort=sort)
            shown.add(list_queries.find_page(cast.ada, listed, size=4, **cursor).at_least)
    assert shown == {5}
