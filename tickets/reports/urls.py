"""URLs of reports (below /reports/)."""

from django.urls import path

from tickets.reports import views

app_name = "reports"
urlpatterns = [
    path("", views.report, name="report"),
    path("report.csv", views.report_as_csv, name="csv"),
]
