"""The HTTP addresses of the broadcasting server."""

from django.urls import path

from realtime import views

app_name = "realtime"
urlpatterns = [
    path("broadcasting/auth", views.authorize_channel, name="auth"),
    path("broadcasting/history", views.replay, name="history"),
]
