"""Every address."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from tikm import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("", include("realtime.urls")),
    path("", include("accounts.urls")),
    path("", RedirectView.as_view(pattern_name="tickets:list"), name="home"),
    path("tickets/", include("tickets.urls")),
    path("admin/", admin.site.urls),
]
