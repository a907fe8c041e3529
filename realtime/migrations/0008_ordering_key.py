from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the key by which events stay in order.

    A column with a default of the database rewrites no row. The index has no rows yet, but to create it PostgreSQL
    reads the log once: about a second for a million events, in which events wait to be written.
    """

    dependencies = [
        ('realtime', '0007_snapshots'),
    ]

    operations = [
        migrations.AddField(
            model_name='broadcast',
            name='ordering_key',
            field=models.CharField(blank=True, db_default='', default='', max_length=164),
        ),
        migrations.AddIndex(
            model_name='broadcast',
            index=models.Index(
                condition=models.Q(('ordering_key', ''), _negated=True),
                fields=['ordering_key', 'created_at'],
                name='broadcast_order',
            ),
        ),
    ]
