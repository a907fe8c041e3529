"""Tickets in Django's admin: looked at by the policies, written by the verbs, and so told like everywhere."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.desk_admin import OfficeFilter, ProjectAdmin, ReadOnly, StaffCanView, name_column, request_user
from accounts.models import Office
from tickets import policies, services
from tickets.admin_forms import ChoiceForm, ConversationFormSet, LatestRowsFormSet, TicketForm
from tickets.list_forms import MAX_BULK_TICKETS, InstanceChoiceField
from tickets.models import Attachment, Priority, Reply, Status, Ticket, TimelineEntry


class ChoiceAdmin(StaffCanView, ProjectAdmin):
    """A list of named, coloured values."""

    form = ChoiceForm
    list_display: tuple[str, ...] = ("name", "color", "order", "is_default")
    search_fields = ("name",)

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save; a new default takes the place of the old one."""
        obj.is_default = form.is_default
        if obj.is_default:
            type(obj).objects.exclude(pk=obj.pk).update(is_default=False)
        super().save_model(request, obj, form, change)


@admin.register(Status)
class StatusAdmin(ChoiceAdmin):
    """Where tickets stand."""

    list_display = (*ChoiceAdmin.list_display, "is_closed")


@admin.register(Priority)
class PriorityAdmin(ChoiceAdmin):
    """How much tickets hurt."""


class OfStaffedTickets(StaffCanView, ProjectAdmin):
    """Rows that belong to a ticket: for the staff of that ticket."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Show those of the tickets that one is staff of."""
        tickets = Ticket.objects.filter(policies.staffed_by(request_user(request)))
        return super().get_queryset(request).filter(ticket__in=tickets.values("pk"))


class TicketOfficeFilter(OfficeFilter):
    """By the office of the row's ticket."""

    path = "ticket__office"


class ReplyInline(admin.StackedInline[Reply, Ticket]):
    """The conversation: replies and notes are added and deleted, never rewritten."""

    model = Reply
    formset = ConversationFormSet
    extra = 1
    template = "admin/tickets/ticket/conversation.html"
    verbose_name_plural = _("Conversation")
    fields = ("message", "is_internal")
    ordering = ("number",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reply]:
        """Read the authors and files with them."""
        replies = super().get_queryset(request).select_related("author", "ticket")
        return replies.prefetch_related("attachments")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Tell the form who looks."""
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.by = request_user(request)
        return formset

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may open the ticket's page here is its staff."""
        return request_user(request).is_staff

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its staff answer."""
        return request_user(request).is_staff

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was said was said."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Which ones, the verb decides."""
        return request_user(request).is_staff


class TimelineInline(ReadOnly, admin.TabularInline[TimelineEntry, Ticket]):
    """What happened."""

    model = TimelineEntry
    formset = LatestRowsFormSet
    fields = readonly_fields = ("created_at", "who", "action", "audience", "words_of_staff")
    verbose_name_plural = _("activity")
    who = name_column("actor", _("person"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimelineEntry]:
        """Read the people with them."""
        return super().get_queryset(request).select_related("actor", "from_user", "to_user")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may open the ticket's page here is its staff."""
        return request_user(request).is_staff

    @admin.display(description=_("change"))
    def words_of_staff(self, line: TimelineEntry) -> str:
        """Return from what to what, or whose message it was about."""
        if line.from_user is not None and line.action != TimelineEntry.Action.ASSIGNED_TO:
            return line.from_user.name
        before = line.from_user or line.staff.get("from")
        after = line.to_user or line.staff.get("to")
        return f"{before or '-'} → {after or '-'}" if before or after else ""


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
        return _links(ticket.attachments.filter(reply=None)) or "-"

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


def _links(attachments: Iterable[Attachment]) -> str:
    files = ((reverse("files:download", args=[file.pk]), file.filename) for file in attachments)
    return format_html_join(", ", '<a href="{}">{}</a>', files)


def _choose_only(widget: Any) -> None:
    """Leave out the buttons that would make or change an office beside the choice of one."""
    for what in ("add", "change", "delete", "view"):
        setattr(widget, f"can_{what}_related", False)


@admin.register(Reply)
class ReplyAdmin(ReadOnly, OfStaffedTickets):
    """Everything that was said; it is written and deleted with its ticket."""

    who = name_column("author", _("person"))
    list_display = ("ticket", "who", "is_internal", "beginning", "created_at")
    list_filter = ("is_internal", TicketOfficeFilter)
    list_select_related = ("ticket", "author")
    search_fields = ("message", "ticket__reference", "ticket__subject")
    date_hierarchy = "created_at"
    fields = ("ticket", "who", "is_internal", "message", "created_at")

    @admin.display(description=_("message"))
    def beginning(self, reply: Reply) -> str:
        """Return the first words."""
        return str(reply)


@admin.register(Attachment)
class AttachmentAdmin(ReadOnly, OfStaffedTickets):
    """Every file that was sent; it goes with its message."""

    who = name_column("uploader", _("person"))
    list_display = ("filename", "content_type", "size", "ticket", "who", "created_at")
    list_filter = ("content_type", TicketOfficeFilter)
    list_select_related = ("ticket", "uploader")
    search_fields = ("filename", "ticket__reference")
    date_hierarchy = "created_at"
    fields = ("download", "content_type", "size", "ticket", "reply", "who", "created_at")

    @admin.display(description=_("file"))
    def download(self, attachment: Attachment) -> str:
        """Lead to the file itself."""
        return _links([attachment])


@admin.register(TimelineEntry)
class TimelineEntryAdmin(ReadOnly, OfStaffedTickets):
    """Who did what, and when."""

    who = name_column("actor", _("person"))
    list_display = ("created_at", "ticket", "who", "action", "audience")
    list_filter = ("action", "audience", TicketOfficeFilter)
    list_select_related = ("ticket", "actor")
    search_fields = ("ticket__reference", "ticket__subject", "actor__name")
    date_hierarchy = "created_at"
    fields = ("created_at", "ticket", "who", "action", "audience", "words_of_staff")
    words_of_staff = TimelineInline.words_of_staff
