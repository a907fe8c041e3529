from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [('tickets', '0036_macros')]

    operations = [
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['created_at'], name='ticket_created'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=Q(closed_at__isnull=False), fields=['closed_at'], name='ticket_closed'),
        ),
    ]
