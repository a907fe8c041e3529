"""Add a reply from another process, as a program (EMAIL TICKET MESSAGE), which may die before it publishes."""

import os
import sys

import django

DIED = 86


def main(email: str, ticket: str, message: str, *, dies: bool) -> None:
    """Reply by the service; with `dies`, exit after the commit instead of sending to the channel layer."""
    from accounts.models import User
    from realtime.broadcasting import dispatcher
    from tickets import services
    from tickets.models import Ticket

    if dies:
        dispatcher.send = lambda messages: os._exit(DIED)
    services.add_reply(Ticket.objects.get(uuid=ticket), by=User.objects.get(email=email), message=message)


if __name__ == "__main__":
    django.setup()
    main(*sys.argv[1:4], dies="--die" in sys.argv)
