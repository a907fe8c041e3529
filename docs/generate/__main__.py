"""`python -m docs.generate [--check]`: write the generated parts of the pages, or compare them with the code."""

import logging
import os
import sys
from pathlib import Path

import django

TOP = Path(__file__).parents[2]


def main() -> int:
    """Return 1 if a page differs and `--check` is given; write it otherwise."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    logging.disable()  # some views are asked what they refuse
    from docs.generate.markdown import fill
    from docs.generate.pages import PARTS

    stale = []
    for path in sorted(TOP.glob("docs/**/*.md")):
        text = path.read_text()
        generated = fill(text, PARTS)
        if generated != text:
            stale.append(str(path.relative_to(TOP)))
            if "--check" not in sys.argv:
                path.write_text(generated)
    if stale and "--check" in sys.argv:
        print(f"Not as the code is: {', '.join(stale)}. Run `make reference`.", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
