"""URLs of the auth endpoints, the history and the Pusher HTTP API."""

from django.urls import include, path

from realtime.http import pusher_api, views

app_name = "realtime"

# Requests signed with the app's secret (Pusher: "HTTP API reference").
app_urlpatterns = [
    path("events", pusher_api.trigger),
    path("batch_events", pusher_api.trigger_batch),
    path("channels", pusher_api.list_channels),
    path("channels/<str:channel>", pusher_api.show_channel),
    path("channels/<str:channel>/users", pusher_api.list_users),
    path("users/<str:user_id>/terminate_connections", pusher_api.terminate_connections),
    path("connections", pusher_api.count_connections),
]

urlpatterns = [
    path("broadcasting/auth", views.authorize_channel, name="auth"),
    path("broadcasting/user-auth", views.authenticate_user, name="user-auth"),
    path("broadcasting/history", views.show_history, name="history"),
    path("apps/<str:app_id>/", include(app_urlpatterns)),
    # Pusher's Python library sends this request without the app; auth_key names it.
    path("users/<str:user_id>/terminate_connections", pusher_api.terminate_connections),
    path("up", pusher_api.health),
]
