"""Invitations in Django's admin: sent, sent again and revoked."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import ProjectAdmin, name_column, request_user
from accounts.invitations import services
from accounts.models import Invitation

if TYPE_CHECKING:  # generic for the type checker only
    _InvitationForm = forms.ModelForm[Invitation]
else:
    _InvitationForm = forms.ModelForm


class InvitationForm(_InvitationForm):
    """A new invitation; the service checks it."""

    by: Any = None

    class Meta:
        model = Invitation
        fields = ("email", "name", "role", "offices")
        widgets = {"offices": forms.CheckboxSelectMultiple}

    def clean(self) -> dict[str, Any]:
        """Invite the person, in the page's transaction."""
        data = super().clean() or {}
        if not self.errors:
            self.instance = services.invite(**data, by=self.by)
        return data

    def _post_clean(self) -> None:
        """Skip the check of the instance, which is stored already."""

    def save(self, commit: bool = True) -> Invitation:
        """Return the invitation that the service has stored."""
        return self.instance

    def save_m2m(self) -> None:
        """Leave the offices as the service has stored them."""


@admin.register(Invitation)
class InvitationAdmin(ProjectAdmin):
    """Lists invitations; a new one is mailed at once."""

    form = InvitationForm
    list_display = ("email", "name", "role", "state", "expires_at", "inviter")
    list_filter = ("role",)
    list_select_related = ("invited_by",)
    search_fields = ("email", "name")
    ordering = ("-created_at",)
    actions = ("send_again", "revoke")
    inviter = name_column("invited_by", _("invited by"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Pass to the form who invites."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.by = request_user(request)
        return form

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        """Do nothing: the form has invited the person."""

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> str:
        return str(invitation.state.label)

    @admin.action(description=_("Send selected invitations again"), permissions=["add"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Send the open ones again, for another week."""
        number = self._apply(request, queryset, services.resend, "Sent again.")
        text = ngettext("%(number)d invitation was sent again.", "%(number)d invitations were sent again.", number)
        self._answer(request, text, number)

    @admin.action(description=_("Revoke selected invitations"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """End the open ones."""
        number = self._apply(request, queryset, services.revoke, "Revoked.")
        text = ngettext("%(number)d invitation was revoked.", "%(number)d invitations were revoked.", number)
        self._answer(request, text, number)

    def _apply(self, request: HttpRequest, queryset: QuerySet[Invitation], service: Any, words: str) -> int:
        number = 0
        for invitation in queryset:
            try:
                service(invitation, by=request_user(request))
            except ValidationError:  # not open any more
                continue
            self.log_change(request, invitation, words)
            number += 1
        return number

    def _answer(self, request: HttpRequest, text: str, number: int) -> None:
        nothing = gettext("These invitations were already accepted or revoked.")
        level = messages.SUCCESS if number else messages.WARNING
        self.message_user(request, text % {"number": number} if number else nothing, level)
