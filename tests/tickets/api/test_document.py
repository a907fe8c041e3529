"""The OpenAPI document holds: generated valid and invalid requests get the responses it describes."""

import itertools
import logging
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
import schemathesis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings, strategies
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection

from accounts.models import ApiToken, User
from tests.support.api_client import ApiClient
from tests.support.cast import PASSWORD, Cast
from tickets import files, services
from tickets.models import Organization, SavedView, Tag, Ticket, TicketLink
from tikm.wsgi import application

pytestmark = pytest.mark.django_db

# FUZZ_EXAMPLES=500 tries more examples, different ones each time, and the boundaries of every value.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def to_the_end(environ: Any, start_response: Any) -> list[bytes]:
    """Read and close every response, including files."""
    response = application(environ, start_response)
    try:
        return [b"".join(response)]
    finally:
        response.close()


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Use plain text instead of a pattern for long texts: generating by pattern takes seconds."""
    for schema in raw_schema["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            if field.get("maxLength", 0) > 1000 and field.pop("pattern", None):
                field["format"] = "words"


schemathesis.openapi.format("words", strategies.text("aß 漢\n*<", min_size=1, max_size=99).map("x{}".format))
with patch(
    "realtime.utils.rate_limits.allowed", return_value=True
):  # nothing can be counted before there is a database
    document = schemathesis.openapi.from_wsgi("/api/schema/", to_the_end)
# Every value at its boundaries: half a minute of each process, also of one that runs none of these tests.
document.config.phases.coverage.enabled = bool(EXAMPLES)
ASKED: set[str] = set()


class Stage:
    """A site with an object at every URL, and API clients of an admin and a customer."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.turn = itertools.count()
        self.programs = {user: ApiClient(user) for user in (cast.ada, cast.casey)}
        self.reply = cast.reply(cast.bao, "An answer")
        self.related = services.open_ticket(by=cast.greta, subject="Late", content="Where?", office=cast.billing)

    def user(self) -> Any:
        return list(self.programs)[next(self.turn) % 2]

    def file(self, user: Any) -> str:
        return str(files.store(SimpleUploadedFile("a.txt", b"Hello"), by=user).pk)

    def fit(self, case: schemathesis.Case, user: Any) -> None:
        """Insert existing ids: the document cannot know them."""
        ApiToken.objects.exclude(id__in=[program.id for program in self.programs.values()]).delete()
        TicketLink.objects.all().delete()
        Ticket.objects.update(merged_into=None)
        self.fit_path(case, user)
        fitting = {"Idempotency-Key": str(uuid4()), "If-Match": "*"}
        case.headers.update({name: value for name, value in fitting.items() if name in case.headers})
        case.query = self.fitting_query(case.query or {}, user)
        if isinstance(case.body, dict):
            case.body = case.body | self.fitting_fields(case.body, user)

    def fit_path(self, case: schemathesis.Case, user: Any) -> None:
        rows = {"uuid": self.cast.ticket.uuid, "reply_id": self.reply.pk, "token_id": self.spare_token(user)}
        organization, _ = Organization.objects.get_or_create(name="Acme")
        rows |= {"kind": "reply", "id": organization.pk, "person_id": self.cast.casey.pk, "note_id": 1}
        rows["tag_id"] = Tag.objects.get_or_create(name="spare")[0].pk
        rows["view_id"] = SavedView.objects.get_or_create(name="Spare", owner=self.cast.ada)[0].pk
        rows["linked_uuid"] = self.related.uuid
        rows["user_id"] = User.objects.get_or_create(email="spare@example.com", defaults={"name": "Spare"})[0].pk
        for name in case.path_parameters or {}:
            case.path_parameters[name] = str(rows[name] if name in rows else self.file(user))

    def spare_token(self, user: Any) -> Any:
        return ApiClient(user).id

    def fitting_query(self, query: dict[str, Any], user: Any) -> dict[str, Any]:
        """Drop cursors of another user's list, and dates in the wrong order."""
        fitting = {"office": str(self.cast.billing.pk), "priority": str(self.cast.ticket.priority_id)}
        fitting |= {"tag": "spare", "into": str(Tag.objects.get_or_create(name="other")[0].pk)}
        Tag.objects.get_or_create(name="spare")
        if query.get("status") not in ("active", "closed", "all", "waiting", "unread"):
            fitting["status"] = ["closed", self.cast.ticket.status.name]
        kept = {name: fitting.get(name, value) for name, value in query.items()}
        unwanted = {"after", "before", "created_to", "updated_to"}
        if user.is_customer:
            unwanted |= {"office", "priority", "assignee", "tag", "customer"}
        elif kept.get("status") == "waiting":
            unwanted.add("status")
        if "priority" in str(kept.get("sort")) and user.is_customer:
            unwanted.add("sort")
        if kept.get("assignee") not in (None, "me", "none"):
            kept["assignee"] = ["me", str(self.cast.dana.pk)]
        for name in ("created_from", "updated_from"):
            if name in kept and not is_day(kept[name]):
                unwanted.add(name)
        unwanted |= {name for name in ("q", "search") if len(str(kept.get(name, "")).split()) > 12}
        if "q" in kept:
            unwanted.add("search")
        return {name: value for name, value in kept.items() if name not in unwanted}

    def fitting_fields(self, body: dict[str, Any], user: Any) -> dict[str, Any]:
        rows = {"office": self.cast.billing, "priority": self.cast.ticket.priority, "status": self.cast.ticket.status}
        fields: dict[str, Any] = {
            name: row.pk if isinstance(body[name], int) else row.name for name, row in rows.items() if name in body
        }
        if body.get("assigned_to") is not None:
            fields["assigned_to"] = str(self.cast.dana.pk)
        named = dict.fromkeys(("customer", "person"), self.cast.greta.email)
        named |= dict.fromkeys(("ticket", "into"), self.related.reference)
        fields |= {name: value for name, value in named.items() if name in body}
        if "name" in body:
            fields["name"] = f"Acme {uuid4().hex}"
            fields["name"] = fields["name"][:40]
        if body.get("snoozed_until") is not None:
            fields["snoozed_until"] = (timezone.now() + timedelta(days=1)).isoformat()
        if "reply" in body:
            fields["reply"] = str(self.reply.pk)
        if "query" in body:
            fields["query"] = "status=closed&assignee=me"
        if "visible_to" in body:
            fields |= {"visible_to": "office", "office": "Billing"} if "office" in body else {"visible_to": "me"}
        if "tags" in body:
            fields["tags"] = ["refund"] if body["tags"] else []
        if "domains" in body:
            fields["domains"] = [f"{uuid4().hex}.example" for _ in body["domains"]]
        if "attachments" in body:
            fields["attachments"] = [self.file(user) for _ in body["attachments"]]
        if "password" in body:
            fields |= {"email": user.email, "password": PASSWORD}
        return fields | self.fitting_person(body)

    def fitting_person(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return fields of an invitation, or of changes of a person."""
        if {"email", "role"} <= body.keys():
            return {"email": f"{uuid4().hex}@example.com", "role": "agent", "offices": ["Billing"], "name": "Noor"}
        fields: dict[str, Any] = {}
        if "offices" in body:
            fields |= {"role": "agent", "offices": ["Billing"]}
        if "hand_over_to" in body:
            fields |= {"is_active": False, "hand_over_to": str(self.cast.dana.pk)}
        return fields


def is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


@pytest.fixture
def stage(cast: Cast, settings: Any) -> Iterator[Stage]:
    settings.API_RATES = dict.fromkeys(settings.API_RATES, "1000000/second")
    settings.ACCOUNT_RATE_LIMITS = False
    logging.disable(logging.WARNING)
    yield Stage(cast)
    logging.disable(logging.NOTSET)


@document.parametrize()
@settings(
    max_examples=EXAMPLES or 8,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_every_response_matches_the_document(case: schemathesis.Case, stage: Stage) -> None:
    user = stage.user()
    if case.meta is None or case.meta.generation.mode.is_positive:
        stage.fit(case, user)
    ASKED.add(case.operation.label)
    # Who may call what is in test_access. A file cannot be invalid JSON: generated files are images, also for
    # invalid requests.
    excluded = [ignored_auth, negative_data_rejection] if case.media_type == "multipart/form-data" else [ignored_auth]
    case.call_and_validate(headers=stage.programs[user].headers, excluded_checks=excluded)


def test_document_is_generated_without_warnings(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yaml"))


def test_every_operation_has_descriptions_and_examples() -> None:
    raw = document.raw_schema
    bare = [
        f"{name}.{field}"
        for name, schema in raw["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    for path, operations in raw["paths"].items():
        for method, operation in operations.items():
            described = [operation, *operation.get("parameters", ())]
            bare += [f"{method} {path}" for part in described if not part.get("description")]
            answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            contents = [answer.get("content", {}).get("application/json") for answer in answers]
            bare += [f"{method} {path}: example" for content in contents if content and not content.get("examples")]
    assert bare == []


def test_every_request_body_is_required() -> None:
    operations = [operation for path in document.raw_schema["paths"].values() for operation in path.values()]
    bodies = [operation["requestBody"] for operation in operations if "requestBody" in operation]
    assert bodies
    assert all(body.get("required") for body in bodies)


def test_every_operation_was_requested() -> None:
    assert {operation.ok().label for operation in document.get_all_operations()} == ASKED
