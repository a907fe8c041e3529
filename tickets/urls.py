"""URLs of tickets (below /tickets/), of files (below /files/) and of settings (below /settings/)."""

from django.urls import URLPattern, path

from tickets.drafts import views as drafts
from tickets.links import views as links
from tickets.macros import views as macros
from tickets.merging import views as merging
from tickets.notifications import views as notifications
from tickets.people import views as people
from tickets.reading import views as reading
from tickets.snooze import views as snooze
from tickets.splitting import views as splitting
from tickets.tags import views as tags
from tickets.views import bulk_undo, conversation, editing, files, list_layout, lists, saved_replies, tickets
from tickets.views.settings import choices, desk, invitations, offices, organizations, saved
from tickets.views.settings import people as people_settings
from tickets.views.settings import saved_views as views_settings
from tickets.views.settings import tags as tags_settings

app_name = "tickets"
urlpatterns = [
    path("", lists.ticket_list, name="list"),
    path("counts/", lists.ticket_counts, name="counts"),
    path("unread/", reading.unread_count, name="unread-count"),
    path("rows/", reading.rows, name="rows"),
    path("found/", lists.found_tickets, name="found"),
    path("bulk/", lists.change_tickets, name="bulk"),
    path("bulk/undo/", bulk_undo.undo_changes, name="bulk-undo"),
    path("layout/", list_layout.change_layout, name="layout"),
    path("merge/", merging.merge, name="merge"),
    path("new/", tickets.new_ticket, name="new"),
    path("new/draft/", drafts.draft_of_new_ticket, name="new-draft"),
    path("palette.css", tickets.palette, name="palette"),
    path("<uuid:uuid>/", tickets.ticket_page, name="detail"),
    path("<uuid:uuid>/read/", reading.read, name="read"),
    path("<uuid:uuid>/delivered/", reading.delivered, name="delivered"),
    path("<uuid:uuid>/receipts/", reading.receipts, name="receipts"),
    path("<uuid:uuid>/read.gif", reading.read_without_scripts, name="read-without-scripts"),
    path("<uuid:uuid>/unread/", reading.unread, name="unread"),
    path("<uuid:uuid>/colleagues/", notifications.colleagues, name="colleagues"),
    path("<uuid:uuid>/subscription/", notifications.subscribe, name="subscription"),
    path("<uuid:uuid>/draft/", drafts.draft_of_ticket, name="draft"),
    path("<uuid:uuid>/replies/", tickets.create_reply, name="reply"),
    path("<uuid:uuid>/replies/<uuid:reply_id>/", tickets.reply_data, name="reply-data"),
    path("<uuid:uuid>/earlier/", conversation.earlier_replies, name="earlier"),
    path("<uuid:uuid>/original/", conversation.original_opening, name="original"),
    path("<uuid:uuid>/replies/<uuid:reply_id>/original/", conversation.original_reply, name="reply-original"),
    path("<uuid:uuid>/replies/<uuid:reply_id>/edit/", editing.edit_reply, name="edit-reply"),
    path("<uuid:uuid>/replies/<uuid:reply_id>/versions/", editing.earlier_versions, name="reply-versions"),
    path("<uuid:uuid>/visibility/", tickets.change_visibility, name="visibility"),
    path("<uuid:uuid>/change/", tickets.change_ticket, name="change"),
    path("<uuid:uuid>/participants/", people.add, name="add-participant"),
    path("<uuid:uuid>/participants/remove/", people.remove, name="remove-participant"),
    path("tags/", tags.tag_names, name="tags"),
    path("<uuid:uuid>/tags/", tags.add, name="add-tag"),
    path("<uuid:uuid>/tags/remove/", tags.remove, name="remove-tag"),
    path("<uuid:uuid>/links/", links.related_tickets, name="links"),
    path("<uuid:uuid>/links/add/", links.add, name="add-link"),
    path("<uuid:uuid>/links/remove/", links.remove, name="remove-link"),
    path("<uuid:uuid>/merges/", merging.merges, name="merges"),
    path("<uuid:uuid>/merges/undo/", merging.undo, name="undo-merge"),
    path("<uuid:uuid>/split/", splitting.split, name="split"),
    path("<uuid:uuid>/splits/", splitting.splits, name="splits"),
    path("<uuid:uuid>/messages/", merging.merged_messages, name="messages"),
    path("<uuid:uuid>/snooze/", snooze.snooze, name="snooze"),
    path("<uuid:uuid>/saved-replies/", saved_replies.list_for_ticket, name="saved-replies"),
    path("<uuid:uuid>/macros/", macros.list_for_ticket, name="macros"),
    path("<uuid:uuid>/macro/", macros.macro, name="macro"),
    path("saved-replies/<int:pk>/used/", saved_replies.record_use, name="saved-reply-used"),
]

file_urlpatterns = [
    path("", files.upload, name="upload"),
    path("<uuid:attachment_id>/", files.download, name="download"),
    path("<uuid:attachment_id>/view/", files.view, name="view"),
    path("<uuid:attachment_id>/discard/", files.discard, name="discard"),
]


def _choice_urls(section: str) -> list[URLPattern]:
    arguments = {"section": section}
    return [
        path(f"{section}/", choices.choice_list, arguments, name=section),
        path(f"{section}/new/", choices.edit_choice, arguments, name=f"{section}-new"),
        path(f"{section}/order/", choices.order_choices, arguments, name=f"{section}-order"),
        path(f"{section}/<int:pk>/", choices.edit_choice, arguments, name=f"{section}-edit"),
        path(f"{section}/<int:pk>/delete/", choices.delete_choice, arguments, name=f"{section}-delete"),
    ]


def _saved_urls(section: str) -> list[URLPattern]:
    arguments = {"section": section}
    return [
        path(f"{section}/", saved.saved_list, arguments, name=section),
        path(f"{section}/new/", saved.edit_saved, arguments, name=f"{section}-new"),
        path(f"{section}/<int:pk>/", saved.edit_saved, arguments, name=f"{section}-edit"),
        path(f"{section}/<int:pk>/delete/", saved.delete_saved, arguments, name=f"{section}-delete"),
    ]


settings_urlpatterns = [
    path("people/", people_settings.people_list, name="people"),
    path("people/invite/", invitations.invite, name="people-invite"),
    path("people/invitations/<uuid:pk>/send/", invitations.send_again, name="invitation-send"),
    path("people/invitations/<uuid:pk>/revoke/", invitations.revoke, name="invitation-revoke"),
    path("people/<uuid:pk>/", people_settings.edit_person, name="people-edit"),
    path("people/<uuid:pk>/activate/", people_settings.activate, name="people-activate"),
    path("people/<uuid:pk>/deactivate/", people_settings.deactivate, name="people-deactivate"),
    path("people/<uuid:pk>/export/", people_settings.export, name="people-export"),
    path("people/<uuid:pk>/erase/", people_settings.erase, name="people-erase"),
    path("offices/", offices.office_list, name="offices"),
    path("offices/new/", offices.edit_office, name="offices-new"),
    path("offices/<int:pk>/", offices.edit_office, name="offices-edit"),
    path("offices/<int:pk>/delete/", offices.delete_office, name="offices-delete"),
    path("organizations/", organizations.organization_list, name="organizations"),
    path("organizations/new/", organizations.edit_organization, name="organizations-new"),
    path("organizations/<int:pk>/", organizations.edit_organization, name="organizations-edit"),
    path("organizations/<int:pk>/delete/", organizations.delete_organization, name="organizations-delete"),
    path("organizations/<int:pk>/members/", organizations.add_member, name="organizations-add-member"),
    path(
        "organizations/<int:pk>/members/<uuid:user_id>/remove/",
        organizations.remove_member,
        name="organizations-remove-member",
    ),
    path(
        "organizations/<int:pk>/members/<uuid:user_id>/restore/",
        organizations.restore_member,
        name="organizations-restore-member",
    ),
    *_choice_urls("statuses"),
    *_choice_urls("priorities"),
    path("tags/", tags_settings.tag_list, name="tags"),
    path("tags/new/", tags_settings.edit_tag, name="tags-new"),
    path("tags/<int:pk>/", tags_settings.edit_tag, name="tags-edit"),
    path("tags/<int:pk>/delete/", tags_settings.delete_tag, name="tags-delete"),
    path("desk/", desk.edit_desk, name="desk"),
    path("views/", views_settings.view_list, name="views"),
    path("views/new/", views_settings.edit_view, name="views-new"),
    path("views/order/", views_settings.order_views, name="views-order"),
    path("views/<int:pk>/", views_settings.edit_view, name="views-edit"),
    path("views/<int:pk>/filters/", views_settings.update_view, name="views-update"),
    path("views/<int:pk>/delete/", views_settings.delete_view, name="views-delete"),
    *_saved_urls("saved-replies"),
    *_saved_urls("macros"),
]
