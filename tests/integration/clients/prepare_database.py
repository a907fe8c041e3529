"""Fill the migrated database of a standalone server, as a program; print its users and tickets as JSON."""

import json

import django


def prepare() -> dict[str, object]:
    """Create the cast, and sign all users in."""
    from tests.support import cast, sockets
    from tests.support.api_client import ApiClient

    desk = cast.create_cast()
    people = {name: getattr(desk, name) for name in ("ada", "bao", "dana", "casey", "greta")}
    return {
        "sessions": {name: sockets.session_cookie(person) for name, person in people.items()},
        "tokens": {name: ApiClient(person).token for name, person in people.items()},
        "ids": {name: str(person.pk) for name, person in people.items()},
        "ticket": str(desk.ticket.uuid),
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(prepare()))  # noqa: T201
