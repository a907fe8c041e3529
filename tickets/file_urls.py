"""The addresses of files."""

from django.urls import path

from tickets.views import files

app_name = "files"
urlpatterns = [
    path("", files.upload, name="upload"),
    path("<uuid:attachment_id>/", files.download, name="download"),
    path("<uuid:attachment_id>/view/", files.view, name="view"),
    path("<uuid:attachment_id>/discard/", files.discard, name="discard"),
]
