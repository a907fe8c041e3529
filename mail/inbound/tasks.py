"""The task that makes tickets and replies of received messages."""

from jobs import task
from jobs.models import Job
from mail.inbound import processing
from mail.models import ReceivedMessage


@task(atomic=False, on_failure=processing.record_failure)
def process_received(job: Job, *, message_id: str) -> None:
    """Process a message that a mailbox received."""
    message = ReceivedMessage.objects.select_related("mailbox__office").filter(pk=message_id).first()
    if message is not None:
        processing.process(message)
