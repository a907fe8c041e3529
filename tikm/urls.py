"""Every address."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from tickets.views import dashboard
from tikm import health

# The admin is entered through the desk's own sign-in, with its limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("", include("realtime.urls")),
    path("", include("accounts.urls")),
    path("", dashboard.home, name="home"),
    path("tickets/", include("tickets.urls")),
    path("files/", include("tickets.file_urls")),
    path("admin/", admin.site.urls),
]
