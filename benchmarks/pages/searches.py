"""What a search costs on PostgreSQL and SQLite: `python -m benchmarks.pages.searches --sizes 10000,100000`.

For each size a desk is filled on PostgreSQL (`large_desk.py`) and copied to SQLite. On both each kind of text is
searched for by an admin, an agent and a customer, in the same process: p50 of the list's page, and the time and plan
(--plans) of its slowest query.
"""

import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks import report, site
from benchmarks.pages import row_copies
from tests.support.servers import instances
from tests.support.servers.migrated import copy_to_file

SEARCHES = {
    "one word": "4711",
    "a common word": "invoice",
    "in every ticket": "morning",
    "in every reply": "thread",
    "nowhere": "elephant",
    "part of a word": "voic",
    "two letters": "mo",
    "phrase": '"about my login"',
    "CJK": "发票",
    "code": "inv-4711",
    "part of a reference": "471-1",
    "customer": "customer 7",
    "-word": "invoice -refund",
    "- every ticket": "invoice -morning",
}
DATABASES = ("PostgreSQL", "SQLite")


def measure(people: dict[str, Any], options: Namespace) -> list[dict[str, Any]]:
    """Return a row per person and search."""
    from django.conf import settings

    settings.ACTION_RATES = settings.ACTION_RATES | {"search": "100000/minute"}
    return [
        {"search": f"{role}: {name}", **_measure_search(person, typed, options)}
        for role, person in people.items()
        for name, typed in SEARCHES.items()
    ]


def _measure_search(person: Any, typed: str, options: Namespace) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person)
    _request(client, typed)
    with CaptureQueriesContext(connection) as captured:
        _request(client, typed)
    slowest = max(captured.captured_queries, key=lambda query: float(query["time"]))
    times = []
    for _ in range(options.requests):
        start = perf_counter()
        _request(client, typed)
        times.append(1000 * (perf_counter() - start))
    query = {"slowest ms": round(1000 * float(slowest["time"]), 1)}
    return {"ms": round(median(times), 1), **query, "plan": _plan(slowest["sql"]) if options.plans else ""}


def _request(client: Any, typed: str) -> None:
    response = client.get("/tickets/", {"q": typed, "status": "all"}, secure=True)
    assert response.status_code == 200, (typed, response.status_code)


def _plan(sql: str) -> str:
    from django.db import connection

    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN (ANALYZE, BUFFERS)"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}")
        return sql + "\n" + "\n".join(str(line[-1]) for line in cursor.fetchall())


def _on_postgresql(options: Namespace) -> dict[str, list[dict[str, Any]]]:
    """Fill a desk with `options.tickets` tickets and measure it; copy it to SQLite, and measure that."""
    with site.services(), TemporaryDirectory() as folder:
        from benchmarks.pages import large_desk

        people = vars(large_desk.fill(options.tickets))
        found = measure(people, options)
        file = Path(folder) / "desk.sqlite3"
        copy_to_file(file)
        environment = os.environ | {"DATABASE_URL": f"sqlite:///{file}"}
        row_copies.copy_to_sqlite(file)
        _report_progress("PostgreSQL", options, found)
        of_sqlite = _run(environment, options, "--sqlite")
        _report_progress("SQLite", options, of_sqlite)
        return {"PostgreSQL": found, "SQLite": of_sqlite}


def _report_progress(database: str, options: Namespace, found: list[dict[str, Any]]) -> None:
    """Print to stderr what has been measured: the rest takes minutes, and may be interrupted."""
    for row in found:
        print(f"{database} {options.tickets:,} {row['search']}: {row['ms']} ms", file=sys.stderr, flush=True)


def _on_sqlite(options: Namespace) -> list[dict[str, Any]]:
    import django

    django.setup()
    from accounts.models import User

    people = {role: f"{address}@example.com" for role, address in
              (("admin", "admin"), ("agent", "agent0"), ("customer", "customer0"))}  # fmt: skip
    return measure({role: User.objects.get(email=email) for role, email in people.items()}, options)


def _run(environment: dict[str, str], options: Namespace, *words: str) -> Any:
    """Run this module in a process of its own, and return what it prints."""
    words = (*words, "--requests", str(options.requests), *(["--plans"] if options.plans else []))
    command = [sys.executable, "-m", "benchmarks.pages.searches", *words]
    done = subprocess.run(command, check=True, cwd=instances.TOP, env=environment, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(found: dict[int, dict[str, list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """Return a row per search: p50 of each size on each database, and the slowest query of the largest."""
    sizes, rows = sorted(found), []
    for number, row in enumerate(found[sizes[0]]["PostgreSQL"]):
        times = {
            f"{database} {size:,}": found[size][database][number]["ms"] for database in DATABASES for size in sizes
        }
        slowest = {f"{name} query": found[sizes[-1]][name][number]["slowest ms"] for name in DATABASES}
        rows.append({"search": row["search"], **times, **slowest})
    return rows


def main() -> None:
    """Measure each size in a process of its own, and publish the table."""
    options = parse()
    if options.sqlite or options.tickets:
        print(json.dumps(_on_sqlite(options) if options.sqlite else _on_postgresql(options)))
        return
    found = {size: _run(dict(os.environ), options, "--tickets", str(size)) for size in options.sizes}
    for database, rows in found[max(found)].items():
        for row in rows:
            if row["plan"]:
                print(f"\n{database}, {row['search']}: {row['slowest ms']} ms\n{row['plan']}")
    notes = f"p50 in ms of {options.requests} requests of the page; the slowest query at {max(found):,} tickets."
    last = f"SQLite {max(found):,}"
    report.publish("searches", "Searches as the desk grows", compare(found), bars=last, notes=notes)


def parse() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser()
    parser.add_argument(
        "--sizes", type=lambda text: [int(part) for part in text.split(",")], default=[10_000, 100_000]
    )
    parser.add_argument("--requests", type=int, default=5, help="per search")
    parser.add_argument("--plans", action="store_true", help="print the plan of each search's slowest query")
    parser.add_argument("--tickets", type=int, default=0, help="measure one desk, and print JSON")
    parser.add_argument("--sqlite", action="store_true", help="measure the desk of DATABASE_URL, and print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
