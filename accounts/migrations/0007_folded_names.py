"""Names folded for search and order."""

from typing import Any

from django.db import migrations, models
from django.db.models import Q

import accounts.text.folding

BATCH_SIZE = 1000

# In code point order, as SQLite sorts: languages of the server would sort differently.
POSTGRESQL = [
    'ALTER TABLE accounts_user ALTER COLUMN folded_name TYPE varchar(400) COLLATE "C"',
    "CREATE INDEX user_folded_name_parts ON accounts_user USING gin (folded_name gin_trgm_ops)",
    "CREATE INDEX user_email_parts ON accounts_user USING gin (email gin_trgm_ops)",
]
REVERSED = [
    "DROP INDEX user_email_parts",
    "DROP INDEX user_folded_name_parts",
]


def on_postgresql(statements: list[str]) -> Any:
    def run(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return run


def fold_names(apps: Any, schema_editor: Any) -> None:
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    unfolded = users.filter(~Q(name="")).order_by("pk").only("pk", "name")
    rows = list(unfolded[:BATCH_SIZE])
    while rows:
        for row in rows:
            row.folded_name = accounts.text.folding.searchable(row.name)[:400]
        users.bulk_update(rows, ["folded_name"])
        rows = list(unfolded.filter(pk__gt=rows[-1].pk)[:BATCH_SIZE])


class Migration(migrations.Migration):
    """Add the field, fold the names, then build the indexes: a minute for a million users."""

    # The migration of tickets adds PostgreSQL's extension pg_trgm.
    dependencies = [("accounts", "0006_erased_people"), ("tickets", "0003_search_indexes")]

    operations = [
        migrations.AddField(
            "user",
            "folded_name",
            accounts.text.folding.FoldedField(db_default="", default="", editable=False, max_length=400, source="name"),
        ),
        migrations.RunPython(fold_names, migrations.RunPython.noop),
        migrations.RunPython(on_postgresql(POSTGRESQL), on_postgresql(REVERSED)),
        migrations.AlterModelOptions(
            "user", {"ordering": ["folded_name", "email"], "verbose_name": "person", "verbose_name_plural": "people"}
        ),
        migrations.AddIndex("user", models.Index(fields=["folded_name", "email"], name="user_order")),
    ]
