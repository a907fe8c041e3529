"""What is typed in the search field becomes words, phrases and words to exclude."""

import pytest

from tickets.search.terms import parse


@pytest.mark.parametrize(
    ("typed", "terms", "excluded"),
    [
        ("charged twice", ["charged", "twice"], []),
        ("  Two\tTWO two ", ["two"], []),
        ('"two charges" may', ["two charges", "may"], []),
        ("“two charges”", ["two charges"], []),
        ('"open end', ["open", "end"], []),
        ('5" screen', ["5", "screen"], []),
        ("(charged), twice!", ["charged", "twice"], []),
        ("INV-4711.", ["inv-4711"], []),
        ("jane@ www. inv-", ["jane", "www", "inv"], []),
        ("C++ 20% #42", ["c + +", "20 %", "# 42"], []),
        ("%", ["%"], []),
        ("发票", ["发 票"], []),
        ("charged -order", ["charged"], ["order"]),
        ('charged -"two charges" more', ["charged", "more"], ["two charges"]),
        ("发票 -税务", ["发 票"], ["税 务"]),
        ("charged –order", ["charged"], ["order"]),
        ("-order charged", ["order", "charged"], []),
        ("--force", ["force"], []),
        ("-5 degrees", ["5", "degrees"], []),
        ("git push --force", ["git", "push", "force"], []),
        ("ls -la -v", ["ls", "la", "v"], []),
        ("invoice -4711", ["invoice", "4711"], []),
        ("well-known a - b", ["well-known", "a", "-", "b"], []),
        ('"', [], []), ('""', [], []), ("- -", ["-"], []), ("--", ["- -"], []),
        ("red or blue", ["red", "or", "blue"], []),
    ],
)  # fmt: skip
def test_query_is_parsed(typed, terms, excluded):
    query = parse(typed)
    assert [term.text for term in query.terms] == terms
    assert [term.text for term in query.excluded] == excluded


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("charged", ["charged"]), ("发", [" 发 "]), ("发票", [" 发 票 "]), ("%", [" % "]), ("c++", ["c + + "]),
    ],
)  # fmt: skip
def test_parts_have_three_characters(typed, parts):
    assert parse(typed).terms[0].parts == parts


def test_short_words_are_found_at_the_beginning_of_words():
    assert " a4" in parse("A4").terms[0].parts
    assert "-a4" in parse("A4").terms[0].parts
    assert {" a", "-a", "@a"} <= {*parse("a").terms[0].parts}
