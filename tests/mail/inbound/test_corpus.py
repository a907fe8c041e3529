"""Real-shaped messages of many programs. Each file of `tests/mail/corpus` has its expected result beside it."""

import json
from dataclasses import asdict
from pathlib import Path
from time import process_time

import pytest

from mail.addresses import reply_address
from mail.inbound.parsing import parse
from mail.models import ReceivedMessage
from mail.outbound.threads import message_id
from tests.mail.inbound.writing import receive

CORPUS = Path(__file__).parents[1] / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.eml"))
MAX_SECONDS = 1  # of CPU time


def raw(name):
    return (CORPUS / f"{name}.eml").read_bytes()


def expected(name):
    return json.loads((CORPUS / f"{name}.json").read_text())


def described(parsed):
    """Return the parsed message in the terms of the expected results."""
    values = asdict(parsed)
    sender, bounce, forwarded = parsed.sender, parsed.bounce, parsed.forwarded
    return values | {
        "sender": sender and [sender.name, sender.email],
        "references": list(parsed.references),
        "problems": list(parsed.problems),
        "spam_filters": list(parsed.spam_filters),
        "files": [file.name for file in parsed.files],
        "contains": [name for file in parsed.files for name in file.contains],
        "bounce_reason": bounce and bounce.reason,
        "bounce": bounce and [bounce.recipient, bounce.message_id, bounce.is_permanent],
        "forwarded": forwarded and [forwarded.sender.name, forwarded.sender.email, forwarded.subject, forwarded.text],
    }


def test_corpus_is_large():
    assert len(NAMES) >= 60


@pytest.mark.parametrize("name", NAMES)
def test_message_reads_as_expected(name):
    began = process_time()
    parsed = parse(raw(name))
    assert process_time() - began < MAX_SECONDS
    wanted, found = expected(name), described(parsed)
    assert {key: found[key] for key in wanted if key in found} == {key: wanted[key] for key in wanted if key in found}
    assert wanted.get("text_has", "") in parsed.text
    assert wanted.get("html_has", "") in parsed.html
    assert "html_lacks" not in wanted or wanted["html_lacks"] not in parsed.html


def test_each_message_becomes_what_is_expected(cast, mailbox, settings):
    settings.MAIL_REPLY_ADDRESS = "reply@desk.example.com"
    settings.ACTION_RATES = {**settings.ACTION_RATES, "mail": "1000/hour"}
    address, opening = reply_address(cast.ticket, cast.casey).encode(), message_id(cast.ticket).encode()
    wrong = {}
    for name in NAMES:
        wanted = expected(name)
        text = raw(name).replace(b"reply+TOKEN@desk.example.com", address).replace(b"<OPENING>", b"<%s>" % opening)
        mailbox.spam_filter = wanted.get("mailbox_filter", "")
        mailbox.save()
        found = outcome(receive(mailbox, text), cast)
        differing = {key: (found[key], wanted[key]) for key in found if key in wanted and found[key] != wanted[key]}
        if differing or wanted.get("message_has", "") not in found["message"]:
            wrong[name] = differing or found["message"]
    assert wrong == {}
    assert not ReceivedMessage.objects.filter(state="received").exists()


def outcome(message, cast):
    """Return what became of a message: a ticket, a reply to the ticket of the cast, or a state with its reason."""
    written = message.reply or message.ticket
    if message.reply is not None:
        assert message.ticket == cast.ticket
    return {
        "outcome": ("reply" if message.reply else "ticket") if written else message.state,
        "reason": message.reason,
        "identity": message.identity,
        "automatic": message.is_automatic,
        "attached": [file.filename for file in written.attachments.all()] if written else [],
        "message": (message.reply.message if message.reply else message.ticket.content) if written else "",
    }
