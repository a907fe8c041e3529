"""/dev/mail/: the mails of a development site as people see them. Without DEBUG there is no such page."""

from collections.abc import Callable
from functools import wraps

from csp.decorators import csp_replace, csp_update
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from mail.development import answers, outbox

HTML_POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:", "'self'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups"],
}


class AnswerForm(forms.Form):
    """An answer to a mail."""

    text = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), label="Answer")


class NewMailForm(forms.Form):
    """A new message from anyone."""

    sender = forms.EmailField(label="From", initial="customer@example.com")
    subject = forms.CharField(max_length=200)
    text = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), label="Text")


def development_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Raise Http404 without DEBUG."""

    @wraps(view)
    def guarded(request: HttpRequest, **arguments: str) -> HttpResponse:
        if not settings.DEBUG:
            raise Http404
        return view(request, **arguments)

    return guarded


@development_only
@require_http_methods(["GET", "HEAD", "POST"])
def mail_list(request: HttpRequest) -> HttpResponse:
    """List the mails; receive a new message."""
    form = NewMailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answers.write(**form.cleaned_data)
        messages.success(request, "Received. The worker opens a ticket in a moment.")
        return redirect("dev-mail:list")
    return render(request, "mail/development/list.html", {"mails": outbox.sent_mails(), "form": form})


@csp_update({"frame-src": ["'self'"]})
@development_only
@require_http_methods(["GET", "HEAD", "POST"])
def mail_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show a mail; receive an answer to it."""
    mail = _find(name)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answers.answer(mail, form.cleaned_data["text"])
        messages.success(request, "Received. The worker adds it to the ticket in a moment.")
        return redirect("dev-mail:mail", name=name)
    return render(request, "mail/development/mail.html", {"mail": mail, "form": form})


@csp_replace(HTML_POLICY)
@xframe_options_sameorigin
@development_only
@require_safe
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """Return a mail's HTML, for the frame of its page."""
    return HttpResponse(_find(name).html)


def _find(name: str) -> outbox.SentMail:
    mail = outbox.find_mail(name)
    if mail is None:
        raise Http404
    return mail
