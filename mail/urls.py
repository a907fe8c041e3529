"""URLs of mail."""

from django.urls import path

from mail.views import originals, preferences, unsubscribing

app_name = "mail"
urlpatterns = [
    path("profile/mails/", preferences.mail_preferences, name="preferences"),
    path("tickets/<uuid:uuid>/mail/", originals.opening_mail, name="opening-mail"),
    path("tickets/<uuid:uuid>/replies/<uuid:reply_id>/mail/", originals.reply_mail, name="reply-mail"),
    path("mails/off/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
    path("mails/leave/<str:token>/", unsubscribing.leave, name="leave"),
]
