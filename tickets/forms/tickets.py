"""Forms of tickets, replies and changes."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from accounts.models import Office, User
from accounts.policies import offered_offices
from tickets import drafts, files, policies, services
from tickets.files.types import accepted
from tickets.forms.choices import ListChoices
from tickets.forms.fields import KeysField, MessageField, UncutField
from tickets.models import MAX_MESSAGE, MAX_SUBJECT, Attachment, Draft, Priority, Status, Ticket
from tickets.submissions import AlreadySubmitted
from tickets.unseen import UnseenMessages


class MultipleFileInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class AttachmentsForm(forms.Form):
    """A form with attachments that may be submitted twice.

    Files are uploaded before (`attachments`, their ids) or with the form (`uploads`). Files in `uploads` are
    stored at once, so that a form that is shown again still has them.
    """

    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    attachments = forms.ModelMultipleChoiceField(
        Attachment.objects.none(),
        required=False,
        error_messages={"invalid_choice": _("A file is no longer available. Add it again.")},
    )
    uploads = forms.Field(label=_("Files"), required=False, widget=MultipleFileInput)
    # The version of the draft that the page knows.
    draft = forms.IntegerField(required=False, widget=forms.HiddenInput)

    text_field = ""  # of the message

    def __init__(self, request: HttpRequest | None = None, *, user: User) -> None:
        data, sent = (request.POST, request.FILES) if request and request.method == "POST" else (None, None)
        super().__init__(data, sent, initial={"key": uuid.uuid4()})
        self.user = user
        self.too_large: tuple[str, ...] = getattr(request, "too_large", ())
        attachments: forms.ModelMultipleChoiceField[Attachment] = self.fields["attachments"]  # type: ignore[assignment]
        attachments.queryset = self._own_attachments()
        self.stored: list[Attachment] = []
        self.max_files, self.max_bytes = settings.ATTACHMENT_MAX_FILES, settings.ATTACHMENT_MAX_BYTES
        self.max_megabytes = self.max_bytes // 1024**2
        self.accepted_types = accepted()

    def begin_with(self, draft: Draft) -> None:
        """Show a draft of the user's in a form that was not submitted."""
        if self.is_bound:
            return
        written = {**draft.values, self.text_field: draft.text, "internal": draft.is_internal, "draft": draft.version}
        self.initial.update({name: value for name, value in written.items() if name in self.fields})
        self.stored = drafts.attached_files(draft)

    def clean_uploads(self) -> None:
        """Store the valid files, and add an error for each other one."""
        chosen = {str(attachment.pk): attachment for attachment in self.cleaned_data.get("attachments", ())}
        self.stored = [chosen[key] for key in dict.fromkeys(self._submitted("attachments")) if key in chosen]
        for upload in self.cleaned_data["uploads"] or ():
            self._store(upload)
        for name in self.too_large:
            self.add_error("uploads", files.too_large(name))

    def clean(self) -> dict[str, Any]:
        """Return the stored files as `attachments`."""
        data = super().clean() or {}
        data.pop("uploads", None)
        return data | {"attachments": self.stored}

    @property
    def is_already_submitted(self) -> bool:
        """Whether it was submitted before with other values or files; `renew` makes it a form of its own."""
        return self.has_error(NON_FIELD_ERRORS, AlreadySubmitted.code)

    def renew(self) -> dict[str, str]:
        """Set a new key, and replace the files that the earlier submission sent by copies: {old id: new id}.

        Without room for copies, the files stay with the earlier submission only.
        """
        data: QueryDict = self.data.copy()  # type: ignore[attr-defined]
        data["key"] = str(uuid.uuid4())
        self.data = data
        copies: dict[str, str] = {}
        kept = []
        for file in self.stored:
            if file.ticket_id is None:
                kept.append(file)
                continue
            try:
                kept.append(files.copy(file, by=self.user))
                copies[str(file.pk)] = str(kept[-1].pk)
            except forms.ValidationError as error:
                self.add_error("uploads", error)
        self.stored = kept
        return copies

    def _own_attachments(self) -> QuerySet[Attachment]:
        """Return the user's unsent files, and those sent by an earlier submission of this form."""
        files = Attachment.objects.filter(uploader=self.user)
        try:
            key = uuid.UUID(self.data.get("key", ""))
        except ValueError:
            return files.filter(ticket=None)
        return files.filter(Q(ticket=None) | Q(reply__request_key=key) | Q(reply=None, ticket__request_key=key))

    def _submitted(self, name: str) -> list[str]:
        """Return a field's values in the submitted order."""
        return list(self.fields[name].widget.value_from_datadict(self.data, self.files, name) or ())

    def _store(self, upload: UploadedFile[bytes]) -> None:
        if len(self.stored) >= settings.ATTACHMENT_MAX_FILES:
            self.add_error("uploads", files.too_many())
            return
        try:
            files.count_upload(upload, by=self.user)
            self.stored.append(files.store(upload, by=self.user))
        except forms.ValidationError as error:
            self.add_error("uploads", error)


class CustomerField(forms.CharField):
    """The customer of a ticket that staff open, as `customers.named_customer` reads it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"list": "people", "autocomplete": "off"})
        words = _(
            "Name or email address; for a new customer both, as in Nora Neu <nora@example.com>. "
            "Leave empty to ask for yourself."
        )
        super().__init__(
            label=_("Customer"), required=False, max_length=400, widget=widget, help_text=escape(words), **kwargs
        )


class TicketForm(AttachmentsForm):
    text_field = "content"
    customer = CustomerField()
    subject = UncutField(label=_("Subject"), max_length=MAX_SUBJECT)
    office = forms.ModelChoiceField(
        Office.objects.none(),
        label=_("Office"),
        empty_label=_("Choose an office"),
        error_messages={"required": _("Choose an office.")},
    )
    priority = forms.ModelChoiceField(Priority.objects.all(), label=_("Priority"), empty_label=None)
    content = MessageField(
        label=_("Message"),
        max_length=MAX_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("Supports Markdown: **bold**, `code`, lists, links."),
    )

    def __init__(self, request: HttpRequest | None = None, *, user: User) -> None:
        super().__init__(request, user=user)
        self._offer_offices(user)
        self.fields["priority"].initial = Priority.default()
        if user.is_customer:
            self.fields["content"].help_text = ""
            del self.fields["customer"]

    def _offer_offices(self, user: User) -> None:
        """Choose the only office; of several none, since the first one would receive what is meant for others."""
        offered = offered_offices(user)
        offices: forms.ModelChoiceField[Office] = self.fields["office"]  # type: ignore[assignment]
        only = list(offered[:2])
        if len(only) == 1:
            offices.initial, offices.widget = only[0].pk, forms.HiddenInput()
        elif user.is_customer:
            offices.empty_label, offices.widget = None, forms.RadioSelect()
            offices.error_messages["required"] = _("Choose what it is about.")
        offices.queryset = offered

    def open(self, *, by: User) -> Ticket:
        """Open the ticket. Raises PermissionDenied, ValidationError."""
        values = dict(self.cleaned_data)
        return services.open_ticket_for(values.pop("customer", ""), by=by, **values)


class ReplyForm(AttachmentsForm):
    """A reply or an internal note, depending on the button."""

    text_field = "message"

    message = MessageField(
        label=_("Message"),
        max_length=MAX_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4, "aria-describedby": "composer-audience"}),
    )
    internal = forms.BooleanField(required=False)
    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)
    # People that a note mentions; scripts send their keys. The service ignores others.
    mentions = KeysField()
    # The ticket after this one in the list, when the page was loaded.
    next = forms.UUIDField(required=False, widget=forms.HiddenInput)
    # The button that was pressed, if it also changes the status.
    then = forms.ChoiceField(choices=[("close", ""), ("hold", "")], required=False)

    def clean_then(self) -> Status | None:
        """Return the new status."""
        then = self.cleaned_data["then"]
        if not then:
            return None
        status = Status.closing() if then == "close" else Status.holding()
        if status is None:
            raise forms.ValidationError(_("No status for this exists any more. Reload the page."))
        return status

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `services.add_reply`."""
        values = {name: value for name, value in self.cleaned_data.items() if name not in ("then", "next")}
        return values | {"status": self.cleaned_data["then"]}

    @property
    def is_stopped(self) -> bool:
        """Whether others have added messages that the user has not seen."""
        return self.has_error(NON_FIELD_ERRORS, UnseenMessages.code)


class EditForm(forms.Form):
    """The new text of a message; `seen` is the state that the author saw."""

    message = MessageField(label=_("Message"), max_length=MAX_MESSAGE, widget=forms.Textarea(attrs={"rows": 10}))
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `services.edit_reply`; a form without `seen` overwrites nothing unseen."""
        return {"message": self.cleaned_data["message"], "seen": self.cleaned_data["seen"]}


class VisibilityForm(forms.Form):
    """The visibility of a message; `seen` is the version that the user saw."""

    reply = forms.UUIDField()
    seen = forms.IntegerField(required=False)
    # Required: a form without it must not publish a note.
    visibility = forms.ChoiceField(choices=[("public", ""), ("internal", "")])

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `services.change_visibility`."""
        seen = self.cleaned_data["seen"]
        return {
            "internal": self.cleaned_data["visibility"] == "internal",
            "if_versions": None if seen is None else {seen},
        }


class ChangeForm(forms.Form):
    """One or more properties of a ticket; a missing field is not changed.

    `version` is the one that the user saw: later changes by other users are not overwritten.
    """

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    status = forms.ModelChoiceField(Status.objects.all(), label=_("Status"), empty_label=None)
    priority = forms.ModelChoiceField(Priority.objects.all(), label=_("Priority"), empty_label=None)
    assigned_to = forms.ModelChoiceField(
        policies.assignable_users(), label=_("Assignee"), required=False, empty_label=_("No one")
    )
    office = forms.ModelChoiceField(Office.objects.all(), label=_("Office"), empty_label=None)
    subject = UncutField(label=_("Subject"), max_length=MAX_SUBJECT)

    def __init__(self, data: Any = None, *, ticket: Ticket, choices: ListChoices | None = None) -> None:
        """`choices` are those of a page, which shows the form and reads them once."""
        initial = {name: getattr(ticket, name) for name in (*services.EDITABLE_FIELDS, "version")}
        super().__init__(data, initial=initial, auto_id="change-%s")
        # The assignee may have been deactivated: the field shows them nevertheless, not the first choice.
        assignees: forms.ModelChoiceField[User] = self.fields["assigned_to"]  # type: ignore[assignment]
        assignees.queryset = policies.assignable_users() | User.objects.filter(pk__in=[ticket.assigned_to_id])
        if data is not None:
            for name in set(services.EDITABLE_FIELDS) - data.keys():
                del self.fields[name]
        if choices is not None:
            self._offer("status", choices.statuses)
            self._offer("priority", choices.priorities)
            self._offer("office", choices.offices)

    def _offer(self, name: str, rows: Iterable[Any]) -> None:
        field: forms.ModelChoiceField[Any] = self.fields[name]  # type: ignore[assignment]
        field.choices = [(row.pk, str(row)) for row in rows]

    def apply(self, ticket: Ticket, *, by: User) -> None:
        """Change the submitted fields."""
        seen = self.cleaned_data.pop("version")
        services.update_ticket(ticket, by=by, values=self.cleaned_data, seen_version=seen)
