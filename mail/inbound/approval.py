"""Let a message pass that was held, ignored or failed."""

from django.db import transaction
from django.utils import timezone

from mail.inbound.tasks import process_received
from mail.models import ReceivedMessage

State = ReceivedMessage.State
STOPPED = (State.HELD, State.IGNORED, State.FAILED)


@transaction.atomic
def approve(message: ReceivedMessage) -> bool:
    """Process a message again, as one that an admin wants; return whether it had been stopped and is still there."""
    stopped = ReceivedMessage.objects.filter(pk=message.pk, state__in=STOPPED).exclude(raw=None)
    if not stopped.update(state=State.RECEIVED, is_approved=True, reason="", detail=""):
        return False
    process_received.enqueue(key=f"{message.pk} {timezone.now().isoformat()}", message_id=str(message.pk))
    return True
