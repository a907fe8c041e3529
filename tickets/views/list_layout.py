"""How a person of the staff sees ticket lists: the split view, and the height of rows."""

from typing import ClassVar

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.types import AuthenticatedRequest


class LayoutForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["splits_list", "list_density"]


@require_POST
@login_required
def change_layout(request: AuthenticatedRequest) -> HttpResponse:
    """Save what was submitted of the layout, and lead back to the list."""
    if request.user.is_customer:
        raise PermissionDenied
    form = LayoutForm(request.POST, instance=request.user)
    for name in form.fields.keys() - request.POST.keys():
        del form.fields[name]
    if form.is_valid():
        User.objects.filter(pk=request.user.pk).update(**form.cleaned_data)
    query = QueryDict(request.POST.get("back", "")).urlencode()
    return redirect(f"{reverse('tickets:list')}?{query}" if query else "tickets:list")
