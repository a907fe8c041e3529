"""The Markdown dialect of messages: what is not clearly markup stays as typed (docs/messages.md)."""

import pytest

from tests.tickets.messages.reading import read
from tickets.markdown import render

AS_TYPED = [
    "Thanks\n-- \nJohn",
    "Thanks\n---\nJohn",
    "Title\n=====\ntext",
    "--\nJohn",
    "---------------",
    "----- Original Message -----\nFrom: Ana",
    "+-----+\n| a   |\n+-----+",
    "***\n* * *\n- - -\n_ _ _",
    "___________ (signature)",
    "vector<std::string>",
    "&eacute; &amp; &#65; &nbsp;",
    "2*3*4=24",
    "2**3**4",
    "2 * 3 * 4",
    "x**2 + y**2",
    "<your-name>, <b>, <!-- no -->, </p>",
    "name\tage\nBob\t5\n\tindented",
    "    four spaces first",
    "        eight\n    four\nnone",
    "a   b     c",
    "see README.md, install.sh, main.rs, example.com",
    "[ticket](4711)",
    "[x](/path) [y](#top) [z](javascript:alert(1)) [ ]( ) [](https://a.example)",
    "[a]: https://a.example\n[a] and [b][a]",
    "[^1] and [1]",
    "snake_case_name __init__ __main__.py _private",
    "*.txt, *.pdf and *.doc; *.txt,*.pdf",
    "SELECT *,count(*) FROM a WHERE b LIKE '%*%'",
    "f(*args, **kwargs)",
    'press "*" and "*" and (*)',
    "5€* and 7€*\n*without VAT",
    "/*comment*/ and **/*.py",
    r"C:\new\table \\server\share \d+\.\d+ \*",
    "don`t and won`t",
    "`` and ` and ```",
    "~/a ~/b ~5 ~~~ a~~b~~c",
    "# 4711",
    "# apt-get install\n#hashtag #1",
    "text\n## not a heading",
    "> 100 km\n",
    ">5 people",
    ">>> import this\n>>> this.s",
    ">>>>>>> branch",
    "- John",
    "24. December is a holiday",
    "1. May",
    "01. a\n02. b",
    "2024. Good.\n2025. Better.",
    "1.\n2.\n3.",
    "- 1 -\ntext",
    "```\nno end",
    "a | b\n- | -",
    "a | b\n--- | ---\n1 | 2 | 3",
    "| no | table |\n| at | all |",
    "![pixel](https://spy.example/1.png)",
    ":-) :* *_* ^_^ -_- ¯\\_(ツ)_/¯",
    "pw: ****** or a***b",
    "$HOME ${x} {{ y }} %s %(a)s",
    "a\\\nb",
    "two\n\nparagraphs",
    "مرحبا\nשלום",
    "１＊２＊３ 。，、",
    "　　全角の字下げ",
    "👩‍👩‍👧 é e\u0301",
    "_user_id and my_key_ or _a_b_",
    "user_id_x, _id, the _id_s and a_b_ c",
    "/_layouts/15/x_y.aspx @name_x_y #12_3_4",
    "*footnote\n* note: one star",
    "a*b*c **a**b and x = y ** 2 ** z",
    "price: 5*2=10*1, 5 * 3 * 2",
    "== not marked == ^x^ ~x~ H~2~O ~5 min ~10 min ~~5",
    "Name: ______ Date: _____",
    "[ ] open\n[x] done",
    "Q1. Why?\nA1. Because.",
    "2024-01-01 - opened\n2024-01-02 - paid",
    "+49 30 1234\n+49 40 1234",
    "-1\n-2\n+1\n+1\n1.5\n2.5",
    "• one\n• two\n– three",
    "-no space\n-after the dash",
    "text ## in a line and a trailing #",
    "| a | b |",
    "a|b\nc|d",
    "::: warning\n:::",
    "[[wiki link]] ((note)) {#id .class}",
    "Sehr geehrte Damen und Herren,\n\n    anbei die Rechnung.\n\n      MfG",
    "<https:// not an address> <a@b> <3 </3 -->",
    "http:/one-slash https:\\\\example.com file:///etc/passwd tel:+4930",
    "10:30-11:00 (Raum 3.14) §5 Abs. 2 Nr. 1)",
    "1.000,00 € / 1,000.00 $ / 50 %",
    "\u200bzero width and soft\u00adhyphen",
]


@pytest.mark.parametrize("text", AS_TYPED)
def test_text_that_is_not_markup_stays_as_typed(text):
    assert read(render(text)) == text.rstrip().replace("\n\n", "\n")
    assert not any(
        f"<{tag}" in render(text) for tag in ("em", "strong", "s>", "code", "h4", "ul", "ol", "blockquote")
    )


MARKUP = [
    ("**bold** *soft* _soft_ `code` ~~gone~~", "<p><strong>bold</strong> <em>soft</em> <em>soft</em> "
     "<code>code</code> <s>gone</s></p>"),
    ("***both*** **_both_** (*soft*), “**bold**”", "<p><em><strong>both</strong></em> <strong><em>both</em></strong> "
     "(<em>soft</em>), “<strong>bold</strong>”</p>"),
    ("这是**重点**内容 **중요**합니다", "<p>这是<strong>重点</strong>内容 <strong>중요</strong>합니다</p>"),
    ("`a_b *c* <d>`", "<p><code>a_b *c* &lt;d&gt;</code></p>"),
    ("one\n  two", "<p>one<br>  two</p>"),
    ("- a\n- b\nafter", "<ul><li>a</li><li>b</li></ul><p>after</p>"),
    ("before:\n- a\n- b", "<p>before:</p><ul><li>a</li><li>b</li></ul>"),
    ("- a\n  - b\n  - c\n- d", "<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>"),
    ("3. c\n4. d", '<ol start="3"><li>c</li><li>d</li></ol>'),
    ("2. yes\n5. no", '<ol start="2"><li>yes</li><li value="5">no</li></ol>'),
    ("1) a\n2) b", "<ol><li>a</li><li>b</li></ol>"),
    ("> asked\nanswered", "<blockquote><p>asked</p></blockquote><p>answered</p>"),
    ("> a\n>> b\n>> c", "<blockquote><p>a</p><blockquote><p>b<br>c</p></blockquote></blockquote>"),
    ("```python\nx  = 1\n\n  y\n```\nend", "<pre><code>x  = 1\n\n  y\n</code></pre><p>end</p>"),
    ("## Steps\nfirst", "<h4>Steps</h4><p>first</p>"),
    ("a | b\n--- | ---\n1 | 2\nafter", "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td>"
     "<td>2</td></tr></tbody></table><p>after</p>"),
    ("a\n\n-----\n\n**b**", "<p>a</p><p>-----</p><p><strong>b</strong></p>"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "html"), MARKUP)
def test_clear_markup_is_rendered(text, html):
    assert render(text).replace(' dir="auto"', "") == html


LINKS = [
    ("https://example.com/a?b=1&c=2", ["https://example.com/a?b=1&c=2"]),
    ("(see https://a.example/x).", ["https://a.example/x"]),
    ("https://a.example/b_(c), https://a.example/_d_/~e", ["https://a.example/b_(c)", "https://a.example/_d_/~e"]),
    ("**https://a.example** <https://b.example>", ["https://a.example", "https://b.example"]),
    ("HTTP://A.example:80/ http://u@h.example http://[::1]/", ["HTTP://A.example:80/", "http://u@h.example", "http://[::1]/"]),
    ("www.example.com, www.x", ["www.example.com"]),
    ("mailto:a@example.com mailto: Bob", ["mailto:a@example.com"]),
    ("请看https://example.com/abc。谢谢", ["https://example.com/abc"]),
    ("https://example.com，然后", ["https://example.com"]),
    ("（https://example.com/a）「https://example.com/b」", ["https://example.com/a", "https://example.com/b"]),
    ("https://example.com؟ https://example.com।", ["https://example.com", "https://example.com"]),
    ("„https://example.com/a“ «https://example.com/b»", ["https://example.com/a", "https://example.com/b"]),
    ("https://zh.example/wiki/中文", ["https://zh.example/wiki/中文"]),
    ("https://xn--80ak6aa92e.com/login", ["https://xn--80ak6aa92e.com/login"]),
    ("https://example.com/\u202egpj.exe", ["https://example.com/"]),
    ("xhttps://a.example https:// http://. ftp://a.example", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "labels"), LINKS)
def test_addresses_with_a_scheme_or_www_are_links(text, labels):
    parts = render(text).split("<a ")[1:]
    assert [read("<a " + part.split("</a>")[0]) for part in parts] == labels
    assert all('rel="noopener noreferrer nofollow"' in part for part in parts)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[here](https://a.example/b_(c))", '<a href="https://a.example/b_(c)">here</a>'),
        ("[**b**](www.a.example)", '<a href="http://www.a.example"><strong>b</strong></a>'),
        ("[write](mailto:a@example.com)", '<a href="mailto:a@example.com">write</a>'),
        ("[a.example](https://a.example/b)", '<a href="https://a.example/b">a.example</a>'),
        ("[bank.example](https://evil.example)", '[bank.example](<a href="https://evil.example">https://evil.example</a>)'),
    ],
)  # fmt: skip
def test_named_links_show_no_other_address(text, html):
    assert render(text).replace(' rel="noopener noreferrer nofollow"', "") == f'<p dir="auto">{html}</p>'


def test_each_paragraph_has_its_own_direction():
    html = render("English\n\nمرحبا\n\n- أ\n- b\n\na | b\n--- | ---\n1 | 2")
    assert html.count('<p dir="auto">') == 2
    assert html.count('<li dir="auto">') == 2
    assert html.count('dir="auto"') == 8
