"""The page of a customer, for staff."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST

from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.models import MAX_CUSTOMER_NOTE
from tickets.people import customers
from tickets.views.responses import call_service

app_name = "people"


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
    deletable = [note.pk for note in card.notes if policies.can_delete_customer_note(request.user, note)]
    context = {"card": card, "form": form, "deletable": deletable}
    return render(request, "tickets/customer.html", context, status=422 if form.errors else 200)


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
    path("<uuid:person_id>/notes/<int:note_id>/delete/", delete_note, name="delete-note"),
]
