"""Migrates the database that DATABASE_URL names, writes the cast to it, and prints who and what there is, as JSON."""

import json
import os

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tikm.settings"
    django.setup()

    from django.core.management import call_command

    from tests import cast as casting

    call_command("migrate", verbosity=0)
    cast = casting.gather()
    print(json.dumps({"ticket": str(cast.ticket.uuid)}))  # noqa: T201
