from django.db import migrations

from tickets.reading.messages import stored_state


def set_last_messages(apps, schema_editor):
    database = schema_editor.connection.alias
    replies = apps.get_model("tickets", "Reply")._base_manager.using(database)
    tickets = apps.get_model("tickets", "Ticket")._base_manager.using(database)
    tickets.update(**stored_state(replies.all()))


class Migration(migrations.Migration):
    """Set each ticket's latest messages and who has to write next, with one statement."""

    dependencies = [
        ('tickets', '0014_read_marks'),
    ]

    operations = [
        migrations.RunPython(set_last_messages, migrations.RunPython.noop),
    ]
