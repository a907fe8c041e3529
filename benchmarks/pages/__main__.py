"""What a page costs as the desk grows: `python -m benchmarks.pages --sizes 10000,100000`.

For each size a desk is filled (`large_desk.py`) and each page is requested by an admin, an agent and a customer, in
the same process: p50 and p95 of the wall time, CPU time, queries and bytes, and the plan of the slowest
query (--plans). The ratio compares the largest size with the smallest. 100,000 tickets take a few minutes to write,
a million half an hour.
"""

import json
import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from statistics import median, quantiles
from typing import Any

from benchmarks import report, site
from tests.support.servers import instances

PAGES = {
    "list": "/tickets/",
    "list, closed": "/tickets/?status=closed",
    "list, all": "/tickets/?status=all",
    "list, waiting": "/tickets/?status=waiting",
    "list, unread": "/tickets/?status=unread",
    "dashboard": "/",
    "counts": "/tickets/counts/",
    "search, common word": "/tickets/?q=invoice",
    "search, part of a word": "/tickets/?q=voic",
    "search, number": "/tickets/?q=4711",
    "ticket": "/tickets/{ticket}/",
    "API list": "/api/v1/tickets/",
}
ADMIN_PAGES = {
    "Django admin: list": "/admin/tickets/ticket/",
    "Django admin: ticket": "/admin/tickets/ticket/{pk}/change/",
}


def measure(options: Namespace) -> list[dict[str, Any]]:
    """Fill a desk with `options.tickets` tickets; return a row per page and person."""
    with site.services():
        from benchmarks.pages import large_desk

        people = large_desk.fill(options.tickets)
        rows = []
        for role in ("admin", "agent", "customer"):
            pages = PAGES | (ADMIN_PAGES if role == "admin" else {})
            for name, path in pages.items():
                rows.append({"page": f"{role}: {name}", **_measure_page(getattr(people, role), path, options)})
        return rows


def _measure_page(person: Any, path: str, options: Namespace) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from tickets import policies

    ticket = policies.listed_tickets(person).first()
    assert ticket is not None
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person)
    path = path.format(ticket=ticket.uuid, pk=ticket.pk)
    size = _request(client, path)
    with CaptureQueriesContext(connection) as captured:
        _request(client, path)
    queries = captured.captured_queries  # the next request empties the log
    walls, processor = [], time.process_time()
    for _ in range(options.requests):
        start = time.perf_counter()
        _request(client, path)
        walls.append(1000 * (time.perf_counter() - start))
    cpu = 1000 * (time.process_time() - processor) / options.requests
    slowest = max(queries, key=lambda query: float(query["time"]))
    return {
        "p50 ms": round(median(walls), 1),
        "p95 ms": round(quantiles(walls, n=20)[-1], 1),
        "CPU ms": round(cpu, 1),
        "queries": len(queries),
        "KB": round(size / 1024),
        "slowest ms": round(1000 * float(slowest["time"]), 1),
        "plan": _plan(slowest["sql"]) if options.plans else "",
    }


def _request(client: Any, path: str) -> int:
    response = client.get(path, secure=True)
    assert response.status_code == 200, (path, response.status_code)
    return len(response.content)


def _plan(sql: str) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}")
        return sql + "\n" + "\n".join(line for (line,) in cursor.fetchall())


def compare(found: dict[int, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return a row per page: p50 of each size and the ratio, and the rest of the largest."""
    sizes = sorted(found)
    rows = []
    for of_page in zip(*(found[size] for size in sizes), strict=True):
        times = {f"{size:,}": row["p50 ms"] for size, row in zip(sizes, of_page, strict=True)}
        ratio = round(of_page[-1]["p50 ms"] / of_page[0]["p50 ms"], 2)
        rest = {key: of_page[-1][key] for key in ("p95 ms", "CPU ms", "queries", "KB", "slowest ms")}
        rows.append({"page": of_page[-1]["page"], **times, "ratio": ratio, **rest})
    return rows


def main() -> None:
    """Measure each size in a process of its own, and publish the table."""
    options = parse()
    if options.tickets:
        print(json.dumps(measure(options)))
        return
    found = {size: _measure_apart(size, options) for size in options.sizes}
    for row in found[max(found)]:
        if row["plan"]:
            print(f"\n{row['page']}\n{row['plan']}")
    notes = (
        f"p50 in ms by number of tickets; the rest at {max(found):,}. {options.requests} requests each, PostgreSQL."
    )
    report.publish("pages", "Pages as the desk grows", compare(found), bars=f"{max(found):,}", notes=notes)


def _measure_apart(size: int, options: Namespace) -> list[dict[str, Any]]:
    words = ["--tickets", str(size), "--requests", str(options.requests), *(["--plans"] if options.plans else [])]
    command = [sys.executable, "-m", "benchmarks.pages", *words]
    done = subprocess.run(command, check=True, cwd=instances.TOP, env=os.environ, stdout=subprocess.PIPE, text=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def parse() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser()
    parser.add_argument(
        "--sizes", type=lambda text: [int(part) for part in text.split(",")], default=[10_000, 100_000]
    )
    parser.add_argument("--requests", type=int, default=15, help="per page")
    parser.add_argument("--plans", action="store_true", help="print the plan of each page's slowest query")
    parser.add_argument("--tickets", type=int, default=0, help="measure one desk, and print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
