"""URLs of the accounts API, below /api/v1/."""

from django.urls import path

from accounts.api import invitations, views

urlpatterns = [
    path("me/", views.Me.as_view(), name="me"),
    path("offices/", views.Offices.as_view(), name="offices"),
    path("invitations/", invitations.Invitations.as_view(), name="invitations"),
    path("invitations/<uuid:invitation_id>/", invitations.OneInvitation.as_view(), name="invitation"),
    path("invitations/<uuid:invitation_id>/send/", invitations.SentInvitation.as_view(), name="invitation-send"),
    path("auth/token/", views.Tokens.as_view(), name="tokens"),
    path("auth/token/<uuid:token_id>/", views.Token.as_view(), name="token"),
]
