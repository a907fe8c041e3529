"""Read rendered HTML as a person does."""

from html.parser import HTMLParser

BLOCKS = {"p", "li", "h4", "h5", "h6", "td", "th", "pre", "br"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.numbers: list[int | None] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in BLOCKS:
            self.text.append("\n")
        if tag in ("ol", "ul"):
            self.numbers.append(int(given.get("start", 1)) if tag == "ol" else None)
        if tag == "li" and self.numbers[-1] is not None:
            number = int(given.get("value", self.numbers[-1]))
            self.numbers[-1] = number + 1
            self.text.append(f"{number}. ")

    def handle_endtag(self, tag):
        if tag in ("ol", "ul"):
            self.numbers.pop()

    def handle_data(self, data):
        self.text.append(data)


def read(html: str) -> str:
    """Return the visible text of `html`, with line breaks and the numbers of list items."""
    reader = _Reader()
    reader.feed(html)
    return "".join(reader.text).removeprefix("\n")
