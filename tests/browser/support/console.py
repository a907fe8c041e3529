"""Runs manage.py commands, one JSON list of arguments per line, and answers each with a JSON string of its output.

One process for many commands: starting Django takes longer than what most tests look at.
"""

import io
import json
import os
import sys
from contextlib import redirect_stdout

import django


def main() -> None:
    """Answer until standard input ends."""
    from django.core.management import call_command

    answers = sys.stdout
    for line in sys.stdin:
        printed = io.StringIO()
        with redirect_stdout(printed):
            call_command(*json.loads(line))
        print(json.dumps(printed.getvalue()), file=answers, flush=True)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tikm.settings"
    django.setup()
    main()
