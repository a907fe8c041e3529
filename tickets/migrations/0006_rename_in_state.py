import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def user_key(column, **options):
    return models.ForeignKey(
        db_column=column,
        on_delete=django.db.models.deletion.PROTECT,
        related_name='+',
        to=settings.AUTH_USER_MODEL,
        **options,
    )


class Migration(migrations.Migration):
    """Rename a model and fields in Django's state; tables and columns keep their names."""

    dependencies = [
        ('tickets', '0005_visibility'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField('reply', 'was_turned', 'visibility_changed'),
                migrations.AlterField(
                    'reply',
                    'visibility_changed',
                    models.BooleanField(db_column='was_turned', default=False, editable=False),
                ),
                migrations.RenameField('timelineentry', 'from_person', 'from_user'),
                migrations.AlterField('timelineentry', 'from_user', user_key('from_person_id', null=True)),
                migrations.RenameField('timelineentry', 'to_person', 'to_user'),
                migrations.AlterField('timelineentry', 'to_user', user_key('to_person_id', null=True)),
                migrations.RemoveConstraint('madeonce', 'a_key_is_used_once'),
                migrations.RenameModel('MadeOnce', 'IdempotencyKey'),
                migrations.AlterModelTable('idempotencykey', 'tickets_madeonce'),
                migrations.RenameField('idempotencykey', 'person', 'user'),
                migrations.AlterField(
                    'idempotencykey',
                    'user',
                    models.ForeignKey(
                        db_column='person_id',
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name='+',
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.RenameField('idempotencykey', 'made', 'result_id'),
                migrations.AlterField(
                    'idempotencykey', 'result_id', models.UUIDField(db_column='made', null=True)
                ),
                migrations.AddConstraint(
                    'idempotencykey',
                    models.UniqueConstraint(fields=('user', 'key'), name='a_key_is_used_once'),
                ),
            ],
        ),
    ]
