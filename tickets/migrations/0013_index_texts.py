from django.db import migrations

from tickets.search.indexing import index_again


def index_all(apps, schema_editor):
    for _count in index_again(apps=apps, using=schema_editor.connection.alias):
        pass


class Migration(migrations.Migration):
    """Index the stored messages, in batches that are committed one by one.

    About 15 minutes for a million messages; the desk may run meanwhile, and finds what is indexed. If it is interrupted,
    the next `migrate` goes on.
    """

    atomic = False

    dependencies = [
        ('tickets', '0012_search_texts'),
    ]

    operations = [
        migrations.RunPython(index_all, migrations.RunPython.noop),
    ]
