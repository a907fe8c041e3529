"""The HTTP addresses of the broadcasting server."""

from django.urls import path

from realtime import views

app_name = "realtime"
urlpatterns = [
    path("broadcasting/auth", views.authorize_channel, name="auth"),
    path("broadcasting/user-auth", views.authenticate_user, name="user-auth"),
    path("broadcasting/history", views.replay, name="history"),
]
