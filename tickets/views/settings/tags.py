"""The settings pages of tags."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.conflicts import validate_again
from accounts.text.lines import isolated
from accounts.types import AuthenticatedRequest
from tickets.models import Tag
from tickets.tags import services
from tickets.tags.forms import DeleteTagForm, TagForm
from tickets.views.responses import call_service
from tickets.views.settings.access import for_admins

SECTION = "tags"


@require_safe
@for_admins
def tag_list(request: AuthenticatedRequest) -> HttpResponse:
    """Show the tags with the number of their tickets."""
    rows = Tag.objects.annotate(number=Count("tickets"))
    return render(request, "settings/tags.html", {"section": SECTION, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
@validate_again
def edit_tag(request: AuthenticatedRequest, pk: int | None = None) -> HttpResponse:
    """Show or save a tag; without `pk` a new one."""
    tag = Tag() if pk is None else get_object_or_404(Tag, pk=pk)
    name = tag.name
    form = TagForm(request.POST if request.method == "POST" else None, instance=tag)
    if request.method == "POST" and form.is_valid():
        services.save_tag(form.instance, by=request.user)
        messages.success(request, _("Changes saved."))
        return redirect("settings:tags")
    context = {"section": SECTION, "form": form, "tag": tag, "name": name}
    return render(request, "settings/tag.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_admins
def delete_tag(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Ask what the tickets of a tag get instead; delete it."""
    tag = get_object_or_404(Tag, pk=pk)
    name = tag.name
    form = DeleteTagForm(request.POST if request.method == "POST" else None, tag=tag)
    if request.method == "POST" and form.is_valid() and call_service(form, form.delete, by=request.user):
        messages.success(request, _("“%(name)s” was deleted.") % {"name": isolated(name)})
        return redirect("settings:tags")
    context = {"section": SECTION, "form": form, "tag": tag, "name": name}
    return render(request, "settings/tag_deletion.html", context, status=422 if form.errors else 200)
