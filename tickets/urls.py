"""The desk's addresses."""

from django.urls import path

from tickets import views

app_name = "tickets"
urlpatterns = [
    path("", views.ticket_list, name="list"),
    path("new/", views.new_ticket, name="new"),
    path("palette.css", views.palette, name="palette"),
    path("<uuid:uuid>/", views.ticket_page, name="detail"),
    path("<uuid:uuid>/replies/", views.create_reply, name="reply"),
    path("<uuid:uuid>/replies/<uuid:reply_id>/", views.reply_data, name="reply-data"),
    path("<uuid:uuid>/change/", views.change_ticket, name="change"),
]
