"""Background jobs: work outside the request, done once, retried after failures. `worker` runs them.

An app declares a task in its module `tasks`, and enqueues jobs of it, in the transaction of the change:

    @task()
    def send_receipt(job: Job, *, ticket_id: int) -> None: ...

    send_receipt.enqueue(key=f"receipt {ticket.pk}", ticket_id=ticket.pk)

Arguments are ids: the function reads the present state, and asks again what its user may see.
"""

from jobs.registry import Task, task

__all__ = ["Task", "task"]
