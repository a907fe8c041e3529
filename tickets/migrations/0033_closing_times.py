from django.db import migrations
from django.db.models import Case, When

from tickets.closing import closed_since
from tickets.reading.messages import first_reply

BATCH_SIZE = 5_000  # tickets


def set_times(apps, schema_editor):
    """Go through the tickets in batches, each in its own transaction: an interrupted run can be repeated."""
    using = schema_editor.connection.alias
    statuses, replies, tickets = (
        apps.get_model("tickets", name)._base_manager.using(using) for name in ("Status", "Reply", "Ticket")
    )
    closed = list(statuses.filter(is_closed=True).values_list("pk", flat=True))
    values = {
        "closed_at": Case(When(status__in=closed, then=closed_since(apps, using)), default=None),
        "first_replied_at": first_reply(replies.all()),
    }
    last = 0
    while keys := list(tickets.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]):
        tickets.filter(pk__gt=last, pk__lte=keys[-1]).update(**values)
        last = keys[-1]


class Migration(migrations.Migration):
    """Set since when tickets are closed, and when staff first replied, from their timelines and messages."""

    atomic = False

    dependencies = [
        ("tickets", "0032_closed_tickets"),
    ]

    operations = [
        migrations.RunPython(set_times, migrations.RunPython.noop),
    ]
