"""URLs of the tickets API, below /api/v1/."""

from django.urls import path

from tickets.api.views import (
    conversation,
    customers,
    files,
    lookups,
    notifications,
    organizations,
    participants,
    reading,
    saved_views,
    tags,
    tickets,
)

urlpatterns = [
    path("tickets/", tickets.Tickets.as_view(), name="tickets"),
    path("tickets/<uuid:uuid>/", tickets.OneTicket.as_view(), name="ticket"),
    path("tickets/<uuid:uuid>/replies/", conversation.Replies.as_view(), name="replies"),
    path("tickets/<uuid:uuid>/replies/<uuid:reply_id>/", conversation.OneReply.as_view(), name="reply"),
    path("tickets/<uuid:uuid>/timeline/", conversation.Timeline.as_view(), name="timeline"),
    path("tickets/<uuid:uuid>/receipts/", reading.Receipts.as_view(), name="receipts"),
    path("tickets/<uuid:uuid>/read/", reading.ReadMark.as_view(), name="read"),
    path("tickets/<uuid:uuid>/delivered/", reading.Delivered.as_view(), name="delivered"),
    path("tickets/<uuid:uuid>/subscription/", notifications.Subscription.as_view(), name="subscription"),
    path("notifications/", notifications.Notifications.as_view(), name="notifications"),
    path("notifications/read/", notifications.ReadNotifications.as_view(), name="notifications-read"),
    path("tickets/<uuid:uuid>/participants/", participants.Participants.as_view(), name="participants"),
    path(
        "tickets/<uuid:uuid>/participants/<uuid:user_id>/",
        participants.OneParticipant.as_view(),
        name="participant",
    ),
    path("attachments/", files.Attachments.as_view(), name="attachments"),
    path("attachments/<uuid:attachment_id>/", files.OneAttachment.as_view(), name="attachment"),
    path("attachments/<uuid:attachment_id>/content/", files.AttachmentContent.as_view(), name="attachment-content"),
    path("statuses/", lookups.Statuses.as_view(), name="statuses"),
    path("priorities/", lookups.Priorities.as_view(), name="priorities"),
    path("customers/", lookups.Customers.as_view(), name="customers"),
    path("customers/<uuid:person_id>/", customers.OneCustomer.as_view(), name="customer"),
    path("customers/<uuid:person_id>/notes/", customers.CustomerNotes.as_view(), name="customer-notes"),
    path(
        "customers/<uuid:person_id>/notes/<int:note_id>/",
        customers.OneCustomerNote.as_view(),
        name="customer-note",
    ),
    path("organizations/", organizations.Organizations.as_view(), name="organizations"),
    path("organizations/<int:pk>/", organizations.OneOrganization.as_view(), name="organization"),
    path("organizations/<int:pk>/members/", organizations.Members.as_view(), name="members"),
    path("organizations/<int:pk>/members/<uuid:user_id>/", organizations.OneMember.as_view(), name="member"),
    path("tags/", tags.Tags.as_view(), name="tags"),
    path("tags/<int:tag_id>/", tags.OneTag.as_view(), name="tag"),
    path("views/", saved_views.SavedViews.as_view(), name="views"),
    path("views/<int:view_id>/", saved_views.OneSavedView.as_view(), name="view"),
    path("assignees/", lookups.Assignees.as_view(), name="assignees"),
]
