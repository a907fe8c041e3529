"""The text and subject of a message as a ticket keeps them, with what had to be left out said at its end."""

from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.text.lines import BIDI_CONTROLS, is_blank, isolated, validate_line
from mail.inbound.parsing import ParsedMail, Problem
from tickets.models import MAX_MESSAGE, MAX_SUBJECT

ROOM = 1500  # characters for the sentences at the end
MAX_NAMES = 10


def subject(value: str) -> str:
    """Return a subject that a ticket may have."""
    text = " ".join("".join(char for char in value if char not in BIDI_CONTROLS).split())[:MAX_SUBJECT].rstrip()
    try:
        validate_line(text)
    except ValidationError:
        with translation.override(settings.LANGUAGE_CODE):
            return _("(no subject)")
    return text


def message(text: str, parsed: ParsedMail, left_out: Sequence[str]) -> str:
    """Return the text, cut to what a message may have, and sentences about what is missing."""
    with translation.override(settings.LANGUAGE_CODE):
        notes = _notes(text, parsed, left_out)
        body = text[: MAX_MESSAGE - ROOM] if len(text) > MAX_MESSAGE - ROOM else text
        if is_blank(body):
            body = _("(no text)")
    return "\n\n".join([body.rstrip(), *notes])[:MAX_MESSAGE]


def _notes(text: str, parsed: ParsedMail, left_out: Sequence[str]) -> list[str]:
    sentences = []
    if len(text) > MAX_MESSAGE - ROOM or Problem.CUT in parsed.problems:
        sentences.append(_("The message is longer than this; the original is kept."))
    if Problem.UNREADABLE in parsed.problems:
        sentences.append(_("The message is too complex to be shown; the original is kept."))
    if Problem.ENCRYPTED in parsed.problems:
        sentences.append(_("The message is encrypted; its content can't be shown here."))
    if Problem.TOO_MANY_PARTS in parsed.problems:
        sentences.append(_("The message has too many parts to be shown; the original is kept."))
    for file in parsed.files:
        if file.contains:
            values = {"name": isolated(file.name), "files": _listed([isolated(name) for name in file.contains])}
            sentences.append(_("%(name)s contains: %(files)s") % values)
    if left_out:
        sentences.append(_("Not attached: %(files)s") % {"files": _listed(left_out)})
    return [f"[{sentence}]" for sentence in sentences]


def _listed(names: Sequence[str]) -> str:
    shown = "; ".join(name[:100] for name in names[:MAX_NAMES])
    more = len(names) - MAX_NAMES
    return shown if more <= 0 else _("%(names)s; %(number)d more") % {"names": shown, "number": more}
