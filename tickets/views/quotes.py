"""A quoted message in the form of a reply, for pages without scripts: they quote by themselves."""

from uuid import UUID

from django.http import QueryDict

from accounts.models import User
from tickets import policies
from tickets.forms.tickets import ReplyForm
from tickets.models import Reply, Ticket

OPENING = "opening"  # the key of the ticket's first message


def begin_with_quote(form: ReplyForm, query: QueryDict, *, user: User, ticket: Ticket) -> None:
    """Add the message that the query's `quote` names to a form that was not submitted.

    The quote of a note makes it a note: its text must not become a reply.
    """
    if form.is_bound or "quote" not in query:
        return
    message = _message(query.get("quote", ""), user, ticket)
    if message is None:
        return
    before = form.initial.get("message", "")
    form.initial["message"] = f"{before}\n\n{quoted(message.text)}" if before else quoted(message.text)
    if isinstance(message, Reply) and message.is_internal:
        form.initial["internal"] = True


def quoted(text: str) -> str:
    """Return a text as a quote in Markdown, with an empty line after it."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines()) + "\n\n"


def _message(key: str, user: User, ticket: Ticket) -> Ticket | Reply | None:
    """Return the message if the user may read it."""
    if key == OPENING:
        return ticket
    try:
        return policies.visible_replies(user, ticket).filter(pk=UUID(key)).first()
    except ValueError:
        return None
