"""Forgets the messages of people who are erased."""

from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from accounts.models import User
from accounts.privacy.identity import Identity
from mail.models import ReceivedMessage
from tickets.signals import person_erased


@receiver(person_erased)
def forget_messages(person: User, **_: Any) -> None:
    """Forget the original messages from the person and in their tickets, and who wrote them."""
    State = ReceivedMessage.State  # noqa: N806
    theirs = ReceivedMessage.objects.filter(Q(sender__in=Identity.of(person).emails) | Q(ticket__creator=person))
    theirs.filter(ticket=None).update(state=State.IGNORED)
    theirs.update(raw=None, sender="", subject="", message_id="", detail="")
