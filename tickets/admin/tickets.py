"""Tickets in Django's admin: limited by the policies, changed through the services."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import OfficeFilter, ProjectAdmin, StaffCanView, name_column, request_user
from accounts.models import Office
from tickets import policies, services
from tickets.admin.forms import ConversationFormSet, TicketForm
from tickets.admin.inlines import ReplyInline, TimelineInline
from tickets.admin.links import attachment_links
from tickets.forms.lists import MAX_BULK_TICKETS, InstanceChoiceField
from tickets.models import Attachment, Priority, Reply, Status, Ticket, TimelineEntry


class BulkForm(ActionForm):
    """What the selected tickets become; what is left empty stays."""

    status = forms.ModelChoiceField(Status.objects.all(), required=False, label=_("Status"))
    priority = forms.ModelChoiceField(Priority.objects.all(), required=False, label=_("Priority"))
    office = forms.ModelChoiceField(Office.objects.all(), required=False, label=_("Office"))
    field_order = ("action", "status", "priority", "assigned_to", "office")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = [("", "---------"), ("none", _("No one"))]
        self.fields["assigned_to"] = InstanceChoiceField(policies.assignable_users(), words, label=_("Assignee"))
        self.order_fields(self.field_order)

    def chosen(self) -> dict[str, Any]:
        """Return what the tickets are to become; None takes the assignee off."""
        chosen = {name: self.cleaned_data.get(name) for name in services.EDITABLE_FIELDS}
        return {name: None if value == "none" else value for name, value in chosen.items() if value}


@admin.register(Ticket)
class TicketAdmin(StaffCanView, ProjectAdmin):
    """Every ticket that one is staff of; each change goes through its verb."""

    form = TicketForm
    action_form = BulkForm
    actions = ("change_selected", "assign_to_me")
    list_display = (
        "reference",
        "subject",
        "standing",
        "urgency",
        "office",
        "customer",
        "assigned_to",
        "updated_at",
    )
    list_display_links = ("reference", "subject")
    list_filter = ("status", "priority", OfficeFilter, "created_at")
    list_select_related = ("status", "priority", "office", "creator", "assigned_to")
    search_fields = ("reference", "subject", "creator__name")
    autocomplete_fields = ("assigned_to",)
    date_hierarchy = "created_at"
    list_per_page = 50
    customer = name_column("creator", _("customer"))
    inlines = (ReplyInline, TimelineInline)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        """Show the tickets that one is staff of; those that one merely opened are on the desk's own pages."""
        return Ticket.objects.filter(policies.staffed_by(request_user(request)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Staff open tickets too."""
        return request_user(request).is_staff

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A ticket's staff change it."""
        person = request_user(request)
        return person.is_staff if obj is None else policies.can_change(person, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the same rule as the verb."""
        person = request_user(request)
        return person.is_admin if obj is None else policies.can_delete_ticket(person, obj)

    def get_fields(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        """A new ticket begins as new tickets do."""
        if obj is None:
            return ("subject", "content", "office", "priority", "key")
        shown = ("customer", "content", "files")
        return ("subject", *shown, "status", "priority", "assigned_to", "office", "seen", "key")

    def get_readonly_fields(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        """Who asked, and what, stays."""
        return () if obj is None else ("customer", "content", "files")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new ticket begins with the default priority."""
        return {"priority": Priority.default().pk, **super().get_changeform_initial_data(request)}

    def get_inlines(self, request: HttpRequest, obj: Ticket | None) -> Any:
        """A conversation begins with a ticket."""
        return () if obj is None else self.inlines

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Have each field carry what it was, and say what a verb has just refused."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        for name in form.base_fields.keys() & set(services.EDITABLE_FIELDS):
            form.base_fields[name].show_hidden_initial = change
            _choose_only(form.base_fields[name].widget)
        return form

    def may_see_history(self, request: HttpRequest) -> bool:
        """Its staff read what happened to it."""
        return request_user(request).is_staff

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Save all or nothing; what a verb refuses is shown in the form, with all that was typed."""
        try:
            return super().changeform_view(request, *args, **kwargs)  # one transaction
        except ValidationError as error:
            request.refusal = error  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Ticket, form: Any, change: bool) -> None:
        """Open a new ticket; what changes is written by `save_related`, after what was said."""
        if change:
            return
        words = {name: form.cleaned_data[name] for name in ("subject", "content", "office", "priority", "key")}
        with _refusals():
            obj.__dict__.update(services.open_ticket(by=request_user(request), **words).__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Call the verbs with the ticket as it stands, not as the form would have it."""
        form.said = []
        if not change:
            return
        with _refusals():
            for formset in formsets:
                if isinstance(formset, ConversationFormSet):
                    form.said += formset.write(form.instance, form.cleaned_data["key"])
            form.apply(Ticket.objects.get(pk=form.instance.pk), by=request_user(request))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Write down which fields changed and that something was said, never what."""
        return [*super().construct_change_message(request, form, [], add), *form.said]

    def response_add(self, request: HttpRequest, obj: Ticket, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead on to the ticket, if it is for who opened it to work on."""
        return super().response_add(self._staying(request, obj), obj, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Ticket) -> HttpResponse:
        """Stay on the page, if the ticket was not handed away."""
        return super().response_change(self._staying(request, obj), obj)

    def _staying(self, request: Any, ticket: Ticket) -> HttpRequest:
        if not self.get_queryset(request).filter(pk=ticket.pk).exists():
            request.POST = request.POST.copy()
            request.POST.pop("_continue", None)
        return cast(HttpRequest, request)

    def delete_model(self, request: HttpRequest, obj: Ticket) -> None:
        """Delete by the verb; what is gone already is gone."""
        with suppress(Ticket.DoesNotExist):
            services.delete_ticket(obj, by=request_user(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        """Delete each by the verb, all or none."""
        with transaction.atomic():
            for ticket in queryset.order_by("pk"):
                self.delete_model(request, ticket)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say how much goes with the tickets, not each line of it."""
        tickets = list(objs)
        belongings = {
            model._meta.verbose_name_plural: model._default_manager.filter(ticket__in=tickets).count()
            for model in (Reply, Attachment, TimelineEntry)
        }
        counts = {self.opts.verbose_name_plural: len(tickets), **belongings}
        return [str(ticket) for ticket in tickets], counts, set(), []

    @admin.display(description=_("status"), ordering="status__order")
    def standing(self, ticket: Ticket) -> str:
        """Show the status as the desk does."""
        return format_html('<span class="pill" data-status="{0}">{0}</span>', ticket.status.name)

    @admin.display(description=_("priority"), ordering="priority__order")
    def urgency(self, ticket: Ticket) -> str:
        """Show the priority as the desk does."""
        return format_html('<span class="priority" data-priority="{0}">{0}</span>', ticket.priority.name)

    @admin.display(description=_("attachments"))
    def files(self, ticket: Ticket) -> str:
        """Lead to what was sent with the first message."""
        return attachment_links(ticket.attachments.filter(reply=None)) or "-"

    @admin.action(description=_("Update selected tickets with these values"), permissions=["change"])
    def change_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        """Change each ticket by the verbs of what was chosen."""
        form = BulkForm(request.POST)
        form.fields["action"].choices = [(name, name) for name in self.actions]  # type: ignore[attr-defined]
        if not form.is_valid():
            self.message_user(request, _("That choice isn't available."), messages.ERROR)
            return
        chosen = form.chosen()
        if not chosen:
            self.message_user(request, _("Choose at least one change."), messages.WARNING)
            return
        self._update_each(request, queryset, chosen)

    @admin.action(description=_("Assign selected tickets to me"), permissions=["change"])
    def assign_to_me(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        self._update_each(request, queryset, {"assigned_to": request_user(request)})

    def _update_each(self, request: HttpRequest, queryset: QuerySet[Ticket], values: dict[str, Any]) -> None:
        """Change each ticket on its own, and report the reason for each one that could not be changed."""
        tickets, changed = list(queryset.order_by("pk")[: MAX_BULK_TICKETS + 1]), 0
        if len(tickets) > MAX_BULK_TICKETS:
            too_many = gettext("Select at most %(most)d tickets.") % {"most": MAX_BULK_TICKETS}
            self.message_user(request, too_many, messages.ERROR)
            return
        for ticket in tickets:
            try:
                with transaction.atomic(), _refusals():
                    services.update_ticket(ticket, by=request_user(request), values=values)
                changed += 1
            except ValidationError as error:
                self.message_user(request, f"{ticket.reference}: {' '.join(error.messages)}", messages.ERROR)
        words = ngettext("%(number)d ticket updated.", "%(number)d tickets updated.", changed)
        self.message_user(request, words % {"number": changed}, messages.SUCCESS if changed else messages.WARNING)


@contextmanager
def _refusals() -> Iterator[None]:
    """Make one kind of whatever a verb refuses."""
    try:
        yield
    except PermissionDenied as error:
        raise ValidationError(str(error)) from error
    except ObjectDoesNotExist as error:
        raise ValidationError(gettext("Not found. It may have been moved or deleted.")) from error


def _choose_only(widget: Any) -> None:
    """Leave out the buttons that would make or change an office beside the choice of one."""
    for what in ("add", "change", "delete", "view"):
        setattr(widget, f"can_{what}_related", False)
