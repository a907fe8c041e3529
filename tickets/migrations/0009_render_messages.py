from django.db import migrations

from tickets.markdown.stored import render_again


def render_all(apps, schema_editor):
    for name, text_field in (('Ticket', 'content'), ('Reply', 'message')):
        messages = apps.get_model('tickets', name).objects.using(schema_editor.connection.alias)
        for _count in render_again(messages.filter(renderer_version=0), text_field):
            pass


class Migration(migrations.Migration):
    """Render the stored messages, in batches that are committed one by one.

    About 20 minutes for a million messages; the desk may run meanwhile. If it is interrupted, the next `migrate` goes on.
    """

    atomic = False

    dependencies = [
        ('tickets', '0008_rendered_messages'),
    ]

    operations = [
        migrations.RunPython(render_all, migrations.RunPython.noop),
    ]
