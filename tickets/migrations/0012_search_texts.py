"""Searchable texts and their indexes of groups of three characters: GIN on PostgreSQL, FTS5 on SQLite.

Notes have separate indexes, so that the time of a customer's search reveals nothing. On SQLite triggers keep the indexes:
an operation that makes Django rebuild the table (AlterField, RemoveField ...) drops them, and has to create them again.
"""

from importlib import import_module
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

PARTS = "CREATE INDEX {} ON tickets_searchtext USING gin (text gin_trgm_ops) WHERE {}is_internal"
POSTGRESQL = [PARTS.format("public_text_parts", "NOT "), PARTS.format("note_text_parts", "")]
SQLITE_INDEXES = {"tickets_public_parts": "NOT ", "tickets_note_parts": ""}
SQLITE = [
    "CREATE VIRTUAL TABLE {index} USING fts5("
    "text, content='tickets_searchtext', content_rowid='id', tokenize='trigram case_sensitive 1')",
    "CREATE TRIGGER {index}_insert AFTER INSERT ON tickets_searchtext WHEN {negation}new.is_internal BEGIN "
    "INSERT INTO {index}(rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER {index}_delete AFTER DELETE ON tickets_searchtext WHEN {negation}old.is_internal BEGIN "
    "INSERT INTO {index}({index}, rowid, text) VALUES ('delete', old.id, old.text); END",
    "CREATE TRIGGER {index}_update AFTER UPDATE ON tickets_searchtext BEGIN "
    "INSERT INTO {index}({index}, rowid, text) SELECT 'delete', old.id, old.text WHERE {negation}old.is_internal; "
    "INSERT INTO {index}(rowid, text) SELECT new.id, new.text WHERE {negation}new.is_internal; END",
]
earlier = import_module("tickets.migrations.0003_search_indexes")


def create(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in POSTGRESQL:
            schema_editor.execute(statement)
    elif schema_editor.connection.vendor == "sqlite":
        for index, negation in SQLITE_INDEXES.items():
            for statement in SQLITE:
                schema_editor.execute(statement.format(index=index, negation=negation), params=None)


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop what does not go with the table."""
    if schema_editor.connection.vendor == "sqlite":
        for index in SQLITE_INDEXES:
            schema_editor.execute(f"DROP TABLE {index}")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0011_line_validators"), ("accounts", "0008_line_validators")]

    operations = [
        migrations.CreateModel(
            name="SearchText",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("is_internal", models.BooleanField(default=False)),
                ("text", models.TextField()),
                ("version", models.PositiveSmallIntegerField()),
                (
                    "reply",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="search_text",
                        to="tickets.reply",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="search_texts", to="tickets.ticket"
                    ),
                ),
            ],
            options={
                "verbose_name": "searchable text",
                "verbose_name_plural": "searchable texts",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("reply", None)), fields=("ticket",), name="one_text_of_a_ticket"
                    )
                ],
            },
        ),
        migrations.RunPython(create, drop),
        migrations.RunPython(earlier.drop, earlier.create),
    ]
