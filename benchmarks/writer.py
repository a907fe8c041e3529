"""Replies to a ticket through the product's service: `python -m benchmarks.writer TICKET USER`.

For each number on stdin it replies for so many seconds, then prints the number of replies and the CPU seconds.
"""

import sys
import time

import django


def main(uuid: str, user: str) -> None:
    """Reply on demand."""
    django.setup()
    from accounts.models import User
    from tickets import services
    from tickets.models import Ticket

    ticket, by, number = Ticket.objects.get(uuid=uuid), User.objects.get(pk=user), 0
    print("ready", flush=True)
    for line in sys.stdin:
        before, cpu, end = number, time.process_time(), time.monotonic() + float(line)
        while time.monotonic() < end:
            services.add_reply(ticket, by=by, message=f"Reply {number}")
            number += 1
        print(number - before, time.process_time() - cpu, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
