"""Tickets in Django's admin: limited by the policies, changed through the services."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import OfficeFilter, ProjectAdmin, StaffCanView, name_column, request_user
from accounts.models import Office
from tickets import policies, search, services
from tickets.admin.forms import MESSAGE_FIELDS, ConversationFormSet, ParticipantFormSet, TicketForm
from tickets.admin.inlines import ParticipantInline, ReplyInline, TimelineInline
from tickets.admin.links import attachment_links
from tickets.forms.instances import InstanceChoiceField
from tickets.forms.lists import MAX_BULK_TICKETS
from tickets.models import Attachment, Priority, Reply, Status, Ticket, TimelineEntry


class BulkForm(ActionForm):
    """New values for the selected tickets; an empty field is not changed."""

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
        """Return the chosen fields and their values; None removes the assignee."""
        chosen = {name: self.cleaned_data.get(name) for name in services.EDITABLE_FIELDS}
        return {name: None if value == "none" else value for name, value in chosen.items() if value}


@admin.register(Ticket)
class TicketAdmin(StaffCanView, ProjectAdmin):
    """The tickets that the user is staff of; every change goes through a service."""

    form = TicketForm
    formfield_overrides = MESSAGE_FIELDS
    action_form = BulkForm
    actions = ("change_selected", "assign_to_me")
    list_display = (
        "reference",
        "subject",
        "status_badge",
        "priority_badge",
        "office",
        "customer",
        "assigned_to",
        "updated_at",
    )
    list_display_links = ("reference", "subject")
    list_filter = ("status", "priority", OfficeFilter, "created_at")
    list_select_related = ("status", "priority", "office", "creator", "assigned_to")
    search_fields = ("subject",)  # shows the field; get_search_results decides
    autocomplete_fields = ("assigned_to",)
    date_hierarchy = "created_at"
    list_per_page = 50
    customer = name_column("creator", _("customer"))
    opener = name_column("opened_by", _("opened by"))
    inlines = (ReplyInline, ParticipantInline, TimelineInline)
    show_full_result_count = False

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Ticket], term: str) -> Any:
        """Find what the site's search finds, and the ticket of a reference."""
        if not term.strip():
            return queryset, False
        user = request_user(request)
        named = search.named_ticket(term, user=user)
        found = search.search(queryset, term, user=user).values("pk").order_by()
        return queryset.filter(Q(pk__in=found) | Q(pk=named.pk if named else None)), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        """Return the tickets that the user is staff of. Their own requests are on the site's pages."""
        return Ticket.objects.filter(policies.staffed_by(request_user(request))).defer("rendered")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request_user(request).is_staff

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = request_user(request)
        return user.is_staff if obj is None else policies.can_change(user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = request_user(request)
        return user.is_admin if obj is None else policies.can_delete_ticket(user, obj)

    def get_fields(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        if obj is None:
            return ("customer", "subject", "content", "office", "priority", "key")
        shown = ("customer", "opener", "source", "content", "files")
        return ("subject", *shown, "status", "priority", "assigned_to", "office", "seen", "key")

    def get_readonly_fields(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        return () if obj is None else ("customer", "opener", "source", "content", "files")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"priority": Priority.default().pk, **super().get_changeform_initial_data(request)}

    def get_inlines(self, request: HttpRequest, obj: Ticket | None) -> Any:
        return () if obj is None else self.inlines

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return a form whose fields carry their initial values, and which shows the error of the last attempt."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.service_error = getattr(request, "service_error", None)
        for name in form.base_fields.keys() & set(services.EDITABLE_FIELDS):
            form.base_fields[name].show_hidden_initial = change
            _hide_related_buttons(form.base_fields[name].widget)
        return form

    def can_view_history(self, request: HttpRequest) -> bool:
        return request_user(request).is_staff

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Save all or nothing. Show a service's error in the form, with the submitted values."""
        try:
            return super().changeform_view(request, *args, **kwargs)  # one transaction
        except ValidationError as error:
            request.service_error = error  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Ticket, form: Any, change: bool) -> None:
        """Open a new ticket. `save_related` saves changes, after the replies."""
        if change:
            return
        values = {name: form.cleaned_data[name] for name in ("subject", "content", "office", "priority", "key")}
        with _as_validation_errors():
            user, text = request_user(request), form.cleaned_data["customer"]
            obj.__dict__.update(services.open_ticket_for(text, by=user, **values).__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Call the services with the stored ticket, not with the form's modified instance."""
        form.message_log = []
        if not change:
            return
        with _as_validation_errors():
            for formset in formsets:
                if isinstance(formset, ConversationFormSet):
                    form.message_log += formset.write(form.instance, form.cleaned_data["key"])
                if isinstance(formset, ParticipantFormSet):
                    form.message_log += formset.write(form.instance)
            form.apply(Ticket.objects.get(pk=form.instance.pk), by=request_user(request))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Log which fields changed and that messages were added or deleted, but no text."""
        return [*super().construct_change_message(request, form, [], add), *form.message_log]

    def response_add(self, request: HttpRequest, obj: Ticket, *args: Any, **kwargs: Any) -> HttpResponse:
        """Redirect to the new ticket if the user is staff of it."""
        return super().response_add(self._stay_if_staff(request, obj), obj, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Ticket) -> HttpResponse:
        """Stay on the page if the user is still staff of the ticket."""
        return super().response_change(self._stay_if_staff(request, obj), obj)

    def _stay_if_staff(self, request: Any, ticket: Ticket) -> HttpRequest:
        if not self.get_queryset(request).filter(pk=ticket.pk).exists():
            request.POST = request.POST.copy()
            request.POST.pop("_continue", None)
        return cast(HttpRequest, request)

    def delete_model(self, request: HttpRequest, obj: Ticket) -> None:
        """Delete the ticket; ignore one that is already deleted."""
        with suppress(Ticket.DoesNotExist):
            services.delete_ticket(obj, by=request_user(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
        """Delete all tickets or none."""
        with transaction.atomic():
            for ticket in queryset.order_by("pk"):
                self.delete_model(request, ticket)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return counts of the related rows instead of one line for each."""
        tickets = list(objs)
        related = {
            model._meta.verbose_name_plural: model._default_manager.filter(ticket__in=tickets).count()
            for model in (Reply, Attachment, TimelineEntry)
        }
        counts = {self.opts.verbose_name_plural: len(tickets), **related}
        return [str(ticket) for ticket in tickets], counts, set(), []

    @admin.display(description=_("status"), ordering="status__order")
    def status_badge(self, ticket: Ticket) -> str:
        return format_html('<span class="pill" data-status="{0}">{0}</span>', ticket.status.name)

    @admin.display(description=_("priority"), ordering="priority__order")
    def priority_badge(self, ticket: Ticket) -> str:
        return format_html('<span class="priority" data-priority="{0}">{0}</span>', ticket.priority.name)

    @admin.display(description=_("attachments"))
    def files(self, ticket: Ticket) -> str:
        """Return links to the files of the first message."""
        return attachment_links(ticket.attachments.filter(reply=None)) or "-"

    @admin.action(description=_("Update selected tickets with these values"), permissions=["change"])
    def change_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> None:
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
                with transaction.atomic(), _as_validation_errors():
                    services.update_ticket(ticket, by=request_user(request), values=values)
                changed += 1
            except ValidationError as error:
                self.message_user(request, f"{ticket.reference}: {' '.join(error.messages)}", messages.ERROR)
        words = ngettext("%(number)d ticket updated.", "%(number)d tickets updated.", changed)
        self.message_user(request, words % {"number": changed}, messages.SUCCESS if changed else messages.WARNING)


@contextmanager
def _as_validation_errors() -> Iterator[None]:
    """Convert PermissionDenied and ObjectDoesNotExist to ValidationError."""
    try:
        yield
    except PermissionDenied as error:
        raise ValidationError(str(error)) from error
    except ObjectDoesNotExist as error:
        raise ValidationError(gettext("Not found. It may have been moved or deleted.")) from error


def _hide_related_buttons(widget: Any) -> None:
    """Hide the buttons that add or change related objects beside a select field."""
    for what in ("add", "change", "delete", "view"):
        setattr(widget, f"can_{what}_related", False)
