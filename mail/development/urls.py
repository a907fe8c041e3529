"""URLs of a development site's mail (below /dev/mail/)."""

from django.urls import path

from mail.development import views

app_name = "dev-mail"
urlpatterns = [
    path("", views.mail_list, name="list"),
    path("<str:name>/", views.mail_page, name="mail"),
    path("<str:name>/html/", views.mail_html, name="html"),
]
