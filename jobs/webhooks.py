"""The queue of REALTIME["WEBHOOK_QUEUE"]: jobs deliver the webhooks of `realtime`."""

from datetime import datetime

from jobs.models import Job
from jobs.tasks import deliver_webhooks


def schedule(receiver_id: int, run_at: datetime) -> None:
    """Enqueue a delivery, unless one waits: it will find what is committed now."""
    waiting = Job.objects.filter(task=deliver_webhooks.name, state=Job.State.WAITING)
    if not waiting.filter(key__startswith=f"{receiver_id} ").exists():
        deliver_webhooks.enqueue(key=f"{receiver_id} {run_at}", run_at=run_at, receiver_id=receiver_id)
