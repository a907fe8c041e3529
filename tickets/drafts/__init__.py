"""Drafts: what a person is writing, on all of their devices, until it is sent."""

from tickets.drafts.queries import attached_files, draft_of, drafted_tickets
from tickets.drafts.saving import Content, OutdatedDraft, end_draft, prune, save_draft

__all__ = [
    "Content",
    "OutdatedDraft",
    "attached_files",
    "draft_of",
    "drafted_tickets",
    "end_draft",
    "prune",
    "save_draft",
]
