"""The page of a customer, for staff."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.models import MAX_CUSTOMER_NOTE, CustomerNote
from tickets.people import customers
from tickets.views.responses import call_service

app_name = "people"
MAX_SHORT = 300  # characters of a note on a ticket's page


class CustomerNoteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("New note"), max_length=MAX_CUSTOMER_NOTE, widget=forms.Textarea(attrs={"rows": 3})
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@cache_control(private=True, no_store=True)
def customer(request: AuthenticatedRequest, person_id: UUID) -> HttpResponse:
    """Show a customer with their tickets and the notes about them, or add a note."""
    person = get_object_or_404(policies.visible_customers(request.user), pk=person_id)
    form = CustomerNoteForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and call_service(form, customers.add_customer_note, person, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, _("Note added."))
        return redirect("people:customer", person.pk)
    card = customers.whole_card_of(person, viewer=request.user)
    context = {"card": card, "form": form, "notes": [_payload(note, request.user) for note in card.notes]}
    return render(request, "tickets/customer.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
@cache_control(private=True, no_store=True)
def notes(request: AuthenticatedRequest, person_id: UUID) -> HttpResponse:
    """Return the notes that the card shows, after a live event that they have changed."""
    person = get_object_or_404(policies.visible_customers(request.user), pk=person_id)
    found = [_payload(note, request.user) for note in customers.notes_of(person)]
    return JsonResponse({"notes": found, "latest": found[: customers.MAX_NOTES]})


def _payload(note: CustomerNote, viewer: User) -> dict[str, Any]:
    """Return a note as templates and scripts show it."""
    return {
        "author": note.author.name,
        "text": note.text,
        "short": Truncator(note.text).chars(MAX_SHORT),
        "created_at": note.created_at,
        "delete_url": reverse("people:delete-note", args=[note.customer_id, note.pk]),
        "can_be_deleted": policies.can_delete_customer_note(viewer, note),
    }


@require_POST
@login_required
def delete_note(request: AuthenticatedRequest, person_id: UUID, note_id: int) -> HttpResponse:
    """Delete a note about a customer."""
    person = get_object_or_404(policies.visible_customers(request.user), pk=person_id)
    note = get_object_or_404(person.customer_notes, pk=note_id)
    customers.delete_customer_note(note, by=request.user)
    messages.success(request, _("Note deleted."))
    return redirect("people:customer", person.pk)


urlpatterns = [
    path("<uuid:person_id>/", customer, name="customer"),
    path("<uuid:person_id>/notes/", notes, name="notes"),
    path("<uuid:person_id>/notes/<int:note_id>/delete/", delete_note, name="delete-note"),
]
