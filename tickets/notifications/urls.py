"""URLs of notifications, below /notifications/."""

from django.urls import path

from tickets.notifications import views
from tickets.notifications.push import views as push

app_name = "notifications"
urlpatterns = [
    path("", views.notification_list, name="list"),
    path("latest/", views.latest, name="latest"),
    path("count/", views.count, name="count"),
    path("read/", views.read, name="read"),
    path("push/", push.subscription, name="push"),
    path("push/shown/", push.shown, name="push-shown"),
]
