from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    """Create the table of the cache that a desk without Redis has."""
    call_command("createcachetable", "tikm_cache", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_profiles_tokens_desk'),
    ]

    operations = [
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
