"""People in Django's admin, with what concerns their tickets and data."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts import policies as accounts_policies
from accounts.admin.base import request_user
from accounts.admin.users import UserAdmin, UserChangeForm
from accounts.models import User
from tickets import policies
from tickets.forms.erasure import ErasureForm
from tickets.people import handover
from tickets.privacy.erasure import Erasure
from tickets.views.privacy import archive_response

admin.site.unregister(User)


class PersonForm(UserChangeForm):
    """The form of a person; who takes on the open tickets of one who leaves."""

    assign_to = forms.ModelChoiceField(
        User.objects.none(), required=False, label=_("Hand over to"), empty_label=_("No one")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("assign_to")
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = handover.successors(self.instance)
            field.help_text = _handover_help(handover.open_tickets(self.instance).count())


def _handover_help(number: int) -> str:
    words = ngettext(
        "%(number)d open ticket is assigned to this person. It is handed over when you deactivate them or make them "
        "a customer; with “No one” it becomes unassigned.",
        "%(number)d open tickets are assigned to this person. They are handed over when you deactivate them or make "
        "them a customer; with “No one” they become unassigned.",
        number,
    )
    return words % {"number": number}


@admin.register(User)
class PersonAdmin(UserAdmin):
    """People; admins also export what is known of them, and hand over the tickets of staff who leave."""

    form = PersonForm
    actions = ("export_selected", "erase_selected")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Add the handover for staff with open tickets."""
        fieldsets = super().get_fieldsets(request, obj)
        is_other = obj is not None and obj.pk != request.user.pk
        if obj is not None and is_other and self._manages(request) and handover.open_tickets(obj).exists():
            return (*fieldsets, (_("Open tickets"), {"fields": ("assign_to",)}))
        return fieldsets

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Hand over the open tickets of a person who can no longer work on them, then save."""
        if change and not policies.can_be_assigned(obj):
            to = form.cleaned_data.get("assign_to")
            number = handover.hand_over(obj, by=request_user(request), to=to)
            if number:
                self.message_user(request, _handover_message(number, to), messages.SUCCESS)
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        """Add the page's own actions."""
        view = self.admin_site.admin_view
        own = [
            path("<uuid:person_id>/export/", view(self.export), name="accounts_user_export"),
            path("<uuid:person_id>/erase/", view(self.erase), name="accounts_user_erase"),
        ]
        return [*own, *super().get_urls()]

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may export people."""
        return accounts_policies.can_manage_users(request_user(request))

    @method_decorator(require_POST)
    def export(self, request: HttpRequest, person_id: Any) -> HttpResponseBase:
        """Return the person's data as a zip archive."""
        person: User = self.get_object(request, str(person_id))
        return self._export(request, person)

    @admin.action(description=_("Export the data of the selected person"), permissions=["manage"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponseBase | None:
        """Return the data of one person as a zip archive."""
        people = list(queryset[:2])
        if len(people) != 1:
            self.message_user(request, _("Select one person to export."), messages.ERROR)
            return None
        return self._export(request, people[0])

    @admin.action(description=_("Erase the selected person"), permissions=["manage"])
    def erase_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponseBase | None:
        """Ask for confirmation on the page of one person."""
        people = list(queryset[:2])
        if len(people) != 1:
            self.message_user(request, _("Select one person to erase."), messages.ERROR)
            return None
        return redirect("admin:accounts_user_erase", people[0].pk)

    def erase(self, request: HttpRequest, person_id: Any) -> HttpResponseBase:
        """Say what will happen; erase the person once their address is typed."""
        if not self.has_manage_permission(request):
            raise PermissionDenied
        person: User = self.get_object(request, str(person_id))
        form = ErasureForm(request.POST or None, person=person, by=request_user(request))
        if request.method == "POST" and form.is_valid():
            done = form.erase()
            by, words = request_user(request), str(_("Person erased."))
            LogEntry.objects.log_actions(by.pk, [person], CHANGE, words, single_object=True)
            self.message_user(request, _erasure_message(done), messages.SUCCESS)
            return redirect("admin:accounts_user_changelist")
        context = {"title": _("Erase person"), "form": form, "original": person, "numbers": form.numbers}
        context |= {**self.admin_site.each_context(request), "opts": self.opts}
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/accounts/user/erase.html", context, status=status)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse changes of an erased person: they would become someone again."""
        is_erased = obj is not None and obj.erased_at is not None
        return not is_erased and super().has_change_permission(request, obj)

    def _export(self, request: HttpRequest, person: User) -> HttpResponseBase:
        """Log the export, and return the archive."""
        if not self.has_manage_permission(request):
            raise PermissionDenied
        by = request_user(request)
        LogEntry.objects.log_actions(by.pk, [person], CHANGE, str(_("Data exported.")), single_object=True)
        return archive_response(person)


def _handover_message(number: int, to: User | None) -> str:
    if to is None:
        words = ngettext(
            "%(number)d open ticket is now unassigned.", "%(number)d open tickets are now unassigned.", number
        )
        return words % {"number": number}
    words = ngettext(
        "%(number)d open ticket was assigned to %(name)s.",
        "%(number)d open tickets were assigned to %(name)s.",
        number,
    )
    return words % {"number": number, "name": to.name}


def _erasure_message(done: Erasure) -> str:
    parts = [gettext("The person was erased.")]
    if done.deleted_tickets:
        words = ngettext("%(number)d ticket was deleted.", "%(number)d tickets were deleted.", done.deleted_tickets)
        parts.append(words % {"number": done.deleted_tickets})
    if done.handed_over:
        words = ngettext(
            "%(number)d ticket was handed over.", "%(number)d tickets were handed over.", done.handed_over
        )
        parts.append(words % {"number": done.handed_over})
    return " ".join(parts)
