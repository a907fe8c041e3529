from django.db import migrations

from realtime.utils import encryption

PURPOSE = "second step"
SECRETS = ("secret", "seed")


def encrypt_secrets(apps, schema_editor):
    """Encrypt the secrets of authenticator apps and recovery codes. One small row for each user with a second step."""
    _change(apps, schema_editor, lambda text: encryption.encrypt(text, purpose=PURPOSE))


def decrypt_secrets(apps, schema_editor):
    """Store the secrets in clear again."""
    _change(apps, schema_editor, lambda text: encryption.decrypt(text, purpose=PURPOSE) or text)


def _change(apps, schema_editor, change):
    authenticators = apps.get_model("mfa", "Authenticator").objects.using(schema_editor.connection.alias)
    for authenticator in authenticators.filter(type__in=["totp", "recovery_codes"]).iterator():
        data = authenticator.data
        changed = {name: change(data[name]) for name in SECRETS if name in data}
        if data.get("migrated_codes") is not None:
            changed["migrated_codes"] = [change(code) for code in data["migrated_codes"]]
        authenticator.data = data | changed
        authenticator.save(update_fields=["data"])


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_address_confirmations'),
        ('mfa', '0003_authenticator_type_uniq'),
    ]

    operations = [
        migrations.RunPython(encrypt_secrets, decrypt_secrets),
    ]
