"""URLs of sign-in, sign-up, password reset and profile; most views are allauth's."""

from allauth.account import views as allauth
from django.urls import include, path, re_path

from accounts.invitations import views as invitations
from accounts.views import avatars, confirmation, profile, sessions, single_sign_on, tokens

urlpatterns = [
    path(
        "login/",
        allauth.LoginView.as_view(extra_context={"sso_name": single_sign_on.provider_name}),
        name="account_login",
    ),
    path("register/", allauth.signup, name="account_signup"),
    path("sso/login/", single_sign_on.sign_in, {"provider_id": "sso"}, name="openid_connect_login"),
    path("sso/callback/", single_sign_on.callback, {"provider_id": "sso"}, name="openid_connect_callback"),
    path("sso/logout/", single_sign_on.back_channel_logout, name="sso-logout"),
    path("logout/", allauth.logout, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("password/reset/", allauth.password_reset, name="account_reset_password"),
    path("password/reset/sent/", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("email/sent/", allauth.email_verification_sent, name="account_email_verification_sent"),
    re_path(
        r"^email/confirm/(?P<key>[-:\w]+)/$",
        confirmation.ConfirmAddressView.as_view(),
        name="account_confirm_email",
    ),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("session/", sessions.current_session, name="session"),
    path("profile/", profile.profile, name="profile"),
    path("profile/email/", allauth.email, name="account_email"),
    path("profile/password/", allauth.password_change, name="account_change_password"),
    path("profile/two-step/", include("allauth.mfa.urls")),
    path("profile/sign-ins/", sessions.session_list, name="sign-ins"),
    path("profile/sign-ins/others/end/", sessions.end_other_sessions, name="sign-ins-end-others"),
    path("profile/sign-ins/<int:session_id>/end/", sessions.end_session, name="sign-in-end"),
    path("profile/tokens/", tokens.token_list, name="tokens"),
    path("profile/tokens/<uuid:token_id>/revoke/", tokens.revoke_token, name="token-revoke"),
    path("avatars/masked.svg", avatars.masked_avatar, name="masked-avatar"),
    path("avatars/<uuid:user_id>.svg", avatars.avatar, name="avatar"),
]
