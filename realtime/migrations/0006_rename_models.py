from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    """Rename four models; their tables keep their names, so that processes of the previous release go on working."""

    dependencies = [
        ('realtime', '0005_the_databases_clock'),
    ]

    operations = [
        migrations.AlterModelTable(name='Keepsake', table='realtime_keepsake'),
        migrations.RenameModel(old_name='Keepsake', new_name='ExpiringValue'),
        migrations.AlterModelTable(name='HitCount', table='realtime_hitcount'),
        migrations.RenameModel(old_name='HitCount', new_name='RateCounter'),
        migrations.AlterModelTable(name='LogFloor', table='realtime_logfloor'),
        migrations.RenameModel(old_name='LogFloor', new_name='LogRetention'),
        migrations.AlterModelTable(name='Occupant', table='realtime_occupant'),
        migrations.RenameModel(old_name='Occupant', new_name='PresenceEntry'),
        migrations.AlterModelOptions(name='presenceentry', options={'verbose_name_plural': 'presence entries'}),
        migrations.AlterField(
            model_name='presenceentry',
            name='process',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='realtime.serverprocess'),
        ),
    ]
