"""URLs of mail."""

from django.urls import path

from mail.views import preferences, unsubscribing

app_name = "mail"
urlpatterns = [
    path("profile/mails/", preferences.mail_preferences, name="preferences"),
    path("mails/off/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
    path("mails/leave/<str:token>/", unsubscribing.leave, name="leave"),
]
