"""The look of mails: one layout, whose styles are written into the elements, as mail programs need it."""

from typing import Any

import css_inline
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from accounts.mails.senders import Sender

# The rules for dark screens and phones stay in a style element: they cannot be written into elements.
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def attach_html(message: EmailMultiAlternatives, template: str, context: dict[str, Any], sender: Sender) -> None:
    """Add the HTML version of a mail, from a template that extends `mail/layout.html`."""
    values = {**context, "sender": sender, "language": translation.get_language(), "title": message.subject}
    if sender.logo is not None:
        message.mixed_subtype = "related"  # type: ignore[attr-defined]  # what the HTML shows is no file of the mail
        message.attach(sender.logo.part())
    message.attach_alternative(_INLINER.inline(render_to_string(template, values)), "text/html")
