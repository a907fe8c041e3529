"""An index of groups of three characters of confirmed addresses, as of people's own ones, for searches by staff."""

from importlib import import_module

from django.db import migrations

on_postgresql = import_module("accounts.migrations.0007_folded_names").on_postgresql
CREATE = ["CREATE INDEX emailaddress_parts ON account_emailaddress USING gin (email gin_trgm_ops)"]
DROP = ["DROP INDEX emailaddress_parts"]


class Migration(migrations.Migration):
    # The migration of tickets adds PostgreSQL's extension pg_trgm.
    dependencies = [
        ("accounts", "0017_digest_hour"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("tickets", "0003_search_indexes"),
    ]

    operations = [migrations.RunPython(on_postgresql(CREATE), on_postgresql(DROP))]
