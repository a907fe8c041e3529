"""The root URL configuration."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from accounts import throttles
from accounts.api import urls as accounts_api
from mail.api import urls as mail_api
from tickets import urls as tickets_urls
from tickets.api import urls as tickets_api
from tickets.notifications.push import views as push
from tickets.views import dashboard, privacy
from tikm import assets
from tikm.api import openapi, problem_details
from tikm.http import content_security, well_known

# Sign in to the admin through allauth, which applies the rate limits and two-step sign-in.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", include("realtime.urls")),
    path("", include("accounts.urls")),
    path("", include("mail.urls")),
    path("", dashboard.home, name="home"),
    path("profile/data/", privacy.download_data, name="profile-data"),
    path("tickets/", include("tickets.urls")),
    path("notifications/", include("tickets.notifications.urls")),
    path("people/", include("tickets.people.pages")),
    path("reports/", include("tickets.reports.urls")),
    path("files/", include((tickets_urls.file_urlpatterns, "files"))),
    path("settings/", RedirectView.as_view(pattern_name="settings:saved-replies"), name="settings"),
    path("settings/", include((tickets_urls.settings_urlpatterns, "settings"))),
    path("admin/", admin.site.urls),
    path("dev/mail/", include("mail.development.urls")),
    path("api/v1/", include(([*tickets_api.urlpatterns, *mail_api.urlpatterns, *accounts_api.urlpatterns], "api"))),
    path("api/schema/", openapi.document, name="api-schema"),
    path("api/docs/", openapi.docs, name="api-docs"),
    path("csp-reports/", content_security.collect_reports, name="csp-reports"),
    path("modules.js", assets.module_map, name="module-map"),
    path("sw.js", push.service_worker, name="service-worker"),
    path("favicon.ico", well_known.icon),
    path("robots.txt", well_known.robots),
    path(".well-known/security.txt", well_known.security_contact),
    path(".well-known/change-password", well_known.change_password),
    re_path("^api/", problem_details.not_found),
]
handler429 = throttles.too_many_requests  # allauth asks for it
handler500 = problem_details.server_error
