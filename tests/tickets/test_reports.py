"""Reports: the figures of a period, who may read which tickets' figures, the page and its CSV file."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Office, User
from tests.support.cast import Cast
from tickets import services
from tickets.models import Ticket
from tickets.reports.charts import make_charts
from tickets.reports.figures import Figures, Scope, make_report
from tickets.tags.services import add_tag

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
QUERIES = {"week": 17, "office": 20, "agent": 19, "tag": 19}
PERIOD = "first=2026-03-02&last=2026-03-29"


def ticket(cast: Cast, week: int, *, office: Office | None = None, **hours: float) -> Ticket:
    """Open a ticket at nine on the Monday of a week, which is replied to and closed after so many hours."""
    opened = MONDAY + timedelta(weeks=week)
    found = services.open_ticket(by=cast.casey, subject="Late", content="x", office=office or cast.billing)
    times = {name: opened + timedelta(hours=after) for name, after in hours.items()}
    Ticket.objects.filter(pk=found.pk).update(created_at=opened, **times)
    return found


def fill(cast: Cast) -> None:
    """Four tickets in four weeks; the cast's own is older and open."""
    Ticket.objects.filter(pk=cast.ticket.pk).update(created_at=MONDAY - timedelta(weeks=9))
    ticket(cast, 0, first_replied_at=1, closed_at=10)
    ticket(cast, 0, first_replied_at=3, closed_at=24 * 8)
    ticket(cast, 2, first_replied_at=5)
    ticket(cast, 3, office=cast.orders)


def scope(reader: User, **filters: Any) -> Scope:
    return Scope(reader, date(2026, 3, 2), date(2026, 3, 29), **filters)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def of(lines: list[Figures], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(line, name) for name in names) for line in lines]


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_total_has_numbers_medians_and_what_nine_of_ten_do_not_exceed(cast: Cast) -> None:
    fill(cast)
    total = make_report(scope(cast.ada), "week").total
    assert (total.opened, total.closed, total.open) == (4, 2, 3)
    assert (total.first_reply, total.first_reply_of_most) == (hours(3), hours(4.6))
    assert total.closing == hours((10 + 24 * 8) / 2)


def test_weeks_are_whole_and_in_order_and_know_what_was_open(cast: Cast) -> None:
    fill(cast)
    weeks = make_report(scope(cast.ada), "week").lines
    assert of(weeks, "opened", "closed", "open") == [(2, 1, 2), (0, 1, 1), (1, 0, 2), (1, 0, 3)]
    assert weeks[0].label == "2 Mar 2026"
    assert (weeks[0].closing, weeks[1].closing, weeks[2].closing) == (hours(10), hours(24 * 8), None)


def test_what_happened_after_the_period_does_not_count(cast: Cast) -> None:
    fill(cast)
    ticket(cast, 4, closed_at=1)
    Ticket.objects.filter(first_replied_at=MONDAY + timedelta(weeks=2, hours=5)).update(
        closed_at=MONDAY + timedelta(weeks=5)
    )
    total = make_report(scope(cast.ada), "week").total
    assert (total.opened, total.closed, total.open) == (4, 2, 3)


def test_days_begin_at_midnight_of_the_reader(cast: Cast) -> None:
    User.objects.filter(pk=cast.ada.pk).update(time_zone="America/Los_Angeles")
    Ticket.objects.filter(pk=cast.ticket.pk).update(created_at=datetime(2026, 3, 9, 6, 59, tzinfo=UTC))
    page = signed_in(cast.ada).get(f"/reports/?{PERIOD}")
    assert [line.opened for line in page.context["report"].lines] == [1, 0, 0, 0]
    Ticket.objects.filter(pk=cast.ticket.pk).update(created_at=datetime(2026, 3, 9, 7, tzinfo=UTC))
    page = signed_in(cast.ada).get(f"/reports/?{PERIOD}")
    assert [line.opened for line in page.context["report"].lines] == [0, 1, 0, 0]


def test_lines_of_offices_agents_and_tags(cast: Cast) -> None:
    fill(cast)
    late = Ticket.objects.get(first_replied_at=MONDAY + timedelta(weeks=2, hours=5))
    for name in ("refund", "angry"):
        add_tag(late, name, by=cast.bao)
    services.update_ticket(late, by=cast.bao, values={"assigned_to": cast.dana})
    this_week = Scope(cast.ada, date(2026, 3, 2), date(2026, 12, 31))
    names = ("label", "opened", "closed", "open")
    assert of(make_report(this_week, "office").lines, *names) == [("Billing", 3, 2, 2), ("Orders", 1, 0, 1)]
    assert of(make_report(this_week, "agent").lines, *names) == [("Dana Okafor", 1, 0, 1), ("Unassigned", 3, 2, 2)]
    assert of(make_report(this_week, "tag").lines, *names) == [
        ("angry", 1, 0, 1), ("refund", 1, 0, 1), ("No tag", 3, 2, 2),
    ]  # fmt: skip


def test_filters_limit_the_report(cast: Cast) -> None:
    fill(cast)
    add_tag(Ticket.objects.get(office=cast.orders), "refund", by=cast.ada)
    page = signed_in(cast.ada).get(f"/reports/?{PERIOD}&tag=refund&by=office")
    assert of([page.context["report"].total], "opened", "open") == [(1, 1)]
    assert of(make_report(scope(cast.ada, office=cast.billing), "week").lines[:1], "opened", "open") == [(2, 2)]
    assert make_report(scope(cast.ada, agent=cast.bao), "week").total.opened == 0


def test_agents_read_the_figures_of_their_own_tickets_only(cast: Cast) -> None:
    fill(cast)
    opened = {}
    for name in ("ada", "bao", "emil", "fatima"):
        page = signed_in(getattr(cast, name)).get(f"/reports/?{PERIOD}&by=office")
        opened[name] = page.context["report"].total.opened
        assert ("Orders" in page.text) == (name in ("ada", "emil"))
    assert opened == {"ada": 4, "bao": 3, "emil": 1, "fatima": 0}
    other = signed_in(cast.bao).get(f"/reports/?{PERIOD}&office={cast.orders.pk}")
    assert (other.status_code, "Orders" in other.text) == (422, False)
    for path in ("/reports/", "/reports/report.csv"):
        assert signed_in(cast.casey).get(path).status_code == 403
        assert Client().get(path).status_code == 302


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("first=2026-03-02&last=2026-03-01", "The end date is before the start date."),
        ("first=2024-03-01&last=2026-03-03", "A report covers at most two years."),
        ("first=&last=2026-03-03", "Choose a date."),
        ("first=x", "Enter a valid date."),
        ("by=colour", "Select a valid choice."),
        ("tag=nonsense", "Unknown value."),
    ],
)
def test_wrong_fields_are_named(cast: Cast, query: str, words: str) -> None:
    for path in ("/reports/", "/reports/report.csv"):
        answer = signed_in(cast.ada).get(f"{path}?{query}")
        assert (answer.status_code, words in answer.text) == (422, True)


def test_page_without_a_period_shows_the_last_twelve_weeks(cast: Cast) -> None:
    page = signed_in(cast.bao).get("/reports/")
    assert len(page.context["report"].weeks) == 12
    assert page.context["report"].total.opened == 1
    assert "Download CSV" in page.text


def test_csv_has_the_lines_of_the_page_and_no_formulas(cast: Cast) -> None:
    fill(cast)
    tag = add_tag(Ticket.objects.get(office=cast.orders), "=cmd()", by=cast.ada)
    assert tag.name == "=cmd()"
    answer = signed_in(cast.ada).get(f"/reports/report.csv?{PERIOD}&by=tag")
    assert answer["Content-Disposition"] == 'attachment; filename="report-2026-03-02-2026-03-29.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Tag", "Opened", "Closed", "Open"]
    assert [row[0] for row in rows[1:]] == ["'=cmd()", "No tag", "Total"]
    assert rows[3][1:] == ["4", "2", "3", "180", "276", str(60 * 101), str(round(60 * (10 + 182 * 0.9)))]


@pytest.mark.parametrize("grouping", ["week", "office", "agent", "tag"])
def test_number_of_queries_does_not_grow_with_the_tickets(cast: Cast, grouping: str) -> None:
    client, asked = signed_in(cast.bao), []
    for _time in range(2):
        fill(cast)
        client.get("/reports/")  # settings of the desk are read once
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/reports/?{PERIOD}&by={grouping}")
        asked.append(len(captured))
    assert asked[0] == asked[1] == QUERIES[grouping]


def test_charts_end_at_a_round_number() -> None:
    weeks = [Figures("a", opened=3, closed=0, open=12), Figures("b", opened=7, closed=5, open=14)]
    charts = make_charts(weeks)
    assert (charts.width, charts.bars_top, charts.line_top) == (20, 10, 20)
    assert [(bar.kind, bar.x, bar.y, bar.height) for bar in charts.bars] == [
        ("opened", 1, 70, 30), ("closed", 5, 100, 0), ("opened", 11, 30, 70), ("closed", 15, 50, 50),
    ]  # fmt: skip
    assert charts.line == "5,40.0 15,30.0"
    assert make_charts([Figures("a")]).bars_top == 1
