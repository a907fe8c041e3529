"""URLs of mail."""

from django.urls import path

from mail.views import originals, preferences, providers, unsubscribing

app_name = "mail"
urlpatterns = [
    path("profile/mails/", preferences.mail_preferences, name="preferences"),
    path("tickets/<uuid:uuid>/mail/", originals.opening_mail, name="opening-mail"),
    path("tickets/<uuid:uuid>/replies/<uuid:reply_id>/mail/", originals.reply_mail, name="reply-mail"),
    path("mails/off/<str:token>/", unsubscribing.unsubscribe, name="unsubscribe"),
    path("mails/received/<slug:provider>/<str:address>/", providers.receive, name="receive"),
    # What Mailgun asks an address to end in, to post the message as it came.
    path("mails/received/<slug:provider>/<str:address>/mime", providers.receive, name="receive-mime"),
    path("mails/leave/<str:token>/", unsubscribing.leave, name="leave"),
]
