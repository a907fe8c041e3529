"""Pages also run from right to left: styles name no physical side, and arrows along the line are mirrored."""

import re
from pathlib import Path

from django.conf import settings

from tickets.templatetags.desk import icon

PHYSICAL = re.compile(
    r"(?:^|[{;\s])(?:(?:left|right)|(?:margin|padding|border)-(?:left|right)[a-z-]*|border-(?:top|bottom)-(?:left|right)-radius)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)\b|translateX"
)


def test_styles_name_no_physical_side() -> None:
    sheets = list(Path(settings.BASE_DIR, "static/css").rglob("*.css"))
    found = {sheet.name: match[0] for sheet in sheets if (match := PHYSICAL.search(sheet.read_text()))}
    assert sheets
    assert found == {}
    assert all(map(PHYSICAL.search, ("a { left: 0 }", "a { margin-left: 1px }", "a { text-align: right }")))


def test_arrows_along_the_line_are_marked() -> None:
    assert 'class="icon icon-along"' in icon("chevron-left")
    assert 'class="icon"' in icon("chevron-down")
