"""What search on PostgreSQL looks things up in; other databases have no such indexes and need none."""

from typing import Any

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

# For the queries of tickets/search.py. Notes have separate indexes, so that the time of a customer's search reveals nothing.
WORDS = "gin (to_tsvector('simple'::regconfig, {}))"
PARTS = "gin (UPPER({}::text) gin_trgm_ops)"
TICKET = "COALESCE(subject, '') || ' ' || COALESCE(content, '')"
MESSAGE = "COALESCE(message, '')"
INDEXES = {
    "ticket_words": f"tickets_ticket USING {WORDS.format(TICKET)}",
    "reply_words": f"tickets_reply USING {WORDS.format(MESSAGE)} WHERE NOT is_internal",
    "note_words": f"tickets_reply USING {WORDS.format(MESSAGE)} WHERE is_internal",
    "ticket_subject_parts": f"tickets_ticket USING {PARTS.format('subject')}",
    "ticket_content_parts": f"tickets_ticket USING {PARTS.format('content')}",
    "ticket_reference_parts": f"tickets_ticket USING {PARTS.format('reference')}",
    "reply_parts": f"tickets_reply USING {PARTS.format('message')} WHERE NOT is_internal",
    "note_parts": f"tickets_reply USING {PARTS.format('message')} WHERE is_internal",
    "user_name_parts": f"accounts_user USING {PARTS.format('name')}",
}


def create(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for name, definition in INDEXES.items():
            schema_editor.execute(f"CREATE INDEX {name} ON {definition}")


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_attachments_and_request_keys"), ("accounts", "0002_profiles_tokens_desk")]

    # pg_trgm is a trusted extension: the owner of the database may create it.
    operations = [TrigramExtension(), migrations.RunPython(create, drop)]
