"""Examples for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

TICKET = {
    "uuid": "3f0e8c1a-7b54-4c39-9d6e-2a1b5f7c8d90",
    "reference": "K7F-Q2MD",
    "url": "https://desk.example.com/api/v1/tickets/3f0e8c1a-7b54-4c39-9d6e-2a1b5f7c8d90/",
    "html_url": "https://desk.example.com/tickets/3f0e8c1a-7b54-4c39-9d6e-2a1b5f7c8d90/",
    "channel": "private-tickets.3f0e8c1a-7b54-4c39-9d6e-2a1b5f7c8d90",
    "subject": "Charged twice",
    "status": "Open",
    "status_id": 1,
    "is_closed": False,
    "priority": "Medium",
    "priority_id": 2,
    "office": "Billing",
    "office_id": 1,
    "creator": {"id": "5c1d2e3f-0a9b-4c8d-8e7f-6a5b4c3d2e1f", "name": "Casey Rivers"},
    "opened_by": None,
    "participants": [],
    "assigned_to": None,
    "created_at": "2026-03-02T09:12:44Z",
    "updated_at": "2026-03-02T09:12:44Z",
    "audience": "staff",
    "seq": 1,
    "version": 1,
    "source": "page",
    "tags": [{"id": 1, "name": "refund", "color": "red"}],
}
WHOLE_TICKET = TICKET | {
    "content": "Two charges for *May*.",
    "content_html": '<p dir="auto">Two charges for <em>May</em>.</p>',
    "attachments": [],
}
REPLY: dict[str, Any] = {
    "id": "7d9c0b1a-2e3f-4a5b-8c6d-9e0f1a2b3c4d",
    "message": "We have sent one of them back.",
    "message_html": '<p dir="auto">We have sent one of them back.</p>',
    "is_internal": False,
    "created_at": "2026-03-02T09:20:01Z",
    "edited_at": None,
    "editable_until": "2026-03-02T09:35:01Z",
    "user": {"id": "9b2f6a1e-58d4-4a53-8a0f-1c0f4a3f6d2b", "name": "Bao Nguyen", "role": "agent"},
    "attachments": [],
    "version": 2,
    "source": "page",
}
LINE = {
    "action": "status",
    "actor": REPLY["user"],
    "created_at": "2026-03-02T09:20:05Z",
    "source": "page",
    "from": "Open",
    "to": "Closed",
}


def response_example(name: str, value: object, *statuses: str) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=statuses or ("200",))


def request_example(name: str, value: object) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)
