"""Django's admin pages of users, offices, credentials and settings."""

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

# Unregister before the modules below register their own pages. Permissions follow from role and offices, not groups.
_HIDDEN = (
    Group, EmailAddress, EmailConfirmation, UserSession, Authenticator, SocialAccount, SocialApp, SocialToken,
)  # fmt: skip
for _model in _HIDDEN:
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)

from accounts.admin import credentials, invitations, settings, users  # noqa: E402

__all__ = ["credentials", "invitations", "settings", "users"]
