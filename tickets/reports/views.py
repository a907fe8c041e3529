"""The page of reports, and its table as a CSV file."""

import csv
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from accounts.types import AuthenticatedRequest
from tickets.reports.charts import make_charts
from tickets.reports.figures import Figures, Report, make_report
from tickets.reports.forms import GROUPINGS, ReportForm
from tickets.views.settings.access import for_staff


@require_safe
@for_staff
def report(request: AuthenticatedRequest) -> HttpResponse:
    """Show the figures of a period; 422 for a wrong one."""
    form = ReportForm(request.GET, user=request.user)
    if not form.is_valid():
        return render(request, "reports/report.html", {"form": form}, status=422)
    made = make_report(form.scope(), form.grouping)
    context = {
        "form": form,
        "report": made,
        "charts": make_charts(made.weeks),
        "heading": dict(GROUPINGS)[form.grouping],
        "now": timezone.now(),
    }
    return render(request, "reports/report.html", context)


@require_safe
@for_staff
def report_as_csv(request: AuthenticatedRequest) -> HttpResponse:
    """Answer the table of the page, times in minutes; 422 with the errors as text."""
    form = ReportForm(request.GET, user=request.user)
    if not form.is_valid():
        return HttpResponse(form.errors.as_text(), content_type="text/plain; charset=utf-8", status=422)
    scope = form.scope()
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="report-{scope.first}-{scope.last}.csv"'
    answer.write("\ufeff")  # or Excel reads it as Windows-1252
    _write(csv.writer(answer), make_report(scope, form.grouping), str(dict(GROUPINGS)[form.grouping]))
    return answer


def _write(table: Any, made: Report, heading: str) -> None:
    table.writerow(
        [
            heading,
            pgettext("tickets", "Opened"),
            _("Closed"),
            _("Open"),
            _("First reply, median (minutes)"),
            _("First reply, 90% (minutes)"),
            _("Time to close, median (minutes)"),
            _("Time to close, 90% (minutes)"),
        ]
    )
    table.writerows(_row(line) for line in [*made.lines, made.total])


def _row(line: Figures) -> list[Any]:
    times = (line.first_reply, line.first_reply_of_most, line.closing, line.closing_of_most)
    return [_plain(line.label), line.opened, line.closed, line.open, *map(_minutes, times)]


def _minutes(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds() / 60)


def _plain(label: str) -> str:
    """Return a name that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    return f"'{label}" if label.startswith(("=", "+", "-", "@", "\t", "\r")) else label
