"""URLs of the mail API, below /api/v1/."""

from django.urls import path

from mail.api import views

urlpatterns = [
    path("notifications/preferences/", views.Preferences.as_view(), name="notification-preferences"),
    path("notifications/preferences/<str:kind>/", views.OnePreference.as_view(), name="notification-preference"),
]
