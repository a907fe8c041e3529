from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the snapshot of the last pruning: a column of a table with at most one row."""

    dependencies = [
        ('realtime', '0006_rename_models'),
    ]

    operations = [
        migrations.AddField(
            model_name='logretention',
            name='snapshot',
            field=models.TextField(db_default=''),
        ),
    ]
