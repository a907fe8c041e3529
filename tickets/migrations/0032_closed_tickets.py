from django.db import migrations, models


class Migration(migrations.Migration):
    """Nullable columns: processes of the previous release open tickets without them."""

    dependencies = [
        ("tickets", "0031_saved_views"),
    ]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="closed_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="ticket",
            name="first_replied_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
