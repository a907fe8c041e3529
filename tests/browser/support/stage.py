"""Creates the cast in the migrated database of DATABASE_URL, signs each user in, and prints the cast as JSON."""

import json
import os

import django

NAMES = ("ada", "bao", "dana", "emil", "fatima", "casey", "greta")


def main() -> None:
    """Print the ticket, and the session of each one who can sign in."""
    from django.test import Client

    from tests.support import cast as casting
    from tests.support.sign_in import reauthenticate

    cast, sessions = casting.create_cast(), {}
    for name in NAMES:
        client = Client()
        client.force_login(getattr(cast, name))
        if name == "ada":  # as an admin at work: the admin's pages ask for the password again
            reauthenticate(client, cast.ada)
        sessions[name] = client.cookies["sessionid"].value
    print(json.dumps({"ticket": str(cast.ticket.uuid), "sessions": sessions}))  # noqa: T201


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tikm.settings"
    django.setup()
    main()
