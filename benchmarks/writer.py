"""One process that replies to a ticket by the product's own verb: `python -m benchmarks.writer TICKET PERSON`.

For each number on its standard input it replies for so many seconds, and says how often, and how much CPU that took.
"""

import sys
import time

import django


def main(uuid: str, person: str) -> None:
    """Reply whenever told to."""
    django.setup()
    from accounts.models import User
    from tickets import services
    from tickets.models import Ticket

    ticket, by, number = Ticket.objects.get(uuid=uuid), User.objects.get(pk=person), 0
    print("ready", flush=True)
    for line in sys.stdin:
        before, cpu, end = number, time.process_time(), time.monotonic() + float(line)
        while time.monotonic() < end:
            services.add_reply(ticket, by=by, message=f"Reply {number}")
            number += 1
        print(number - before, time.process_time() - cpu, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
