"""Messages broken at random: nothing raises, nothing takes long, and no broken message acts for someone.

FUZZ_EXAMPLES sets the number of mutations.
"""

import os
from random import Random
from time import process_time

from mail.inbound import identity
from mail.inbound.parsing import parse
from mail.models import ReceivedMessage
from mail.outbound.threads import message_id
from tests.mail.inbound.test_corpus import MAX_SECONDS, NAMES, raw
from tests.mail.inbound.writing import receive
from tickets.models import Reply, Ticket

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
SMALL = [name for name in NAMES if len(raw(name)) < 20_000]
LONG = (
    b"&",
    b"<div>",
    b"(",
    b"=?utf-8?q?",
    b"> ",
    b"\xff",
    b"--b1\n",
    b"a@",
    b"\t",
    b" " * 9 + b"\n",
    b"<!--",
    b"-- \n",
)


def mutated(random):
    """Return a message of the corpus with some bytes, lines or parts changed."""
    content = bytearray(raw(random.choice(SMALL)))
    for _ in range(random.randint(1, 6)):
        place = random.randrange(len(content) + 1)
        end = min(len(content), place + random.randint(1, 80))
        match random.randrange(6):
            case 0:
                del content[place:end]
            case 1:
                content[place:place] = random.randbytes(random.randint(1, 20))
            case 2:
                content[place:place] = content[place:end] * random.randint(2, 50)
            case 3:
                content[place:place] = raw(random.choice(SMALL))
            case 4:
                content[place:end] = content[place:end].swapcase()
            case _:
                content[place:place] = random.choice(LONG) * random.randint(1, 3000)
    return bytes(content)


def test_mutated_messages_are_parsed_in_time():
    for seed in range(EXAMPLES):
        content = mutated(Random(seed))
        began = process_time()
        parsed = parse(content)
        assert process_time() - began < MAX_SECONDS, seed
        assert "\x00" not in parsed.text + parsed.subject, seed


def test_mutated_messages_are_tickets_replies_or_visible_errors(cast, mailbox, settings):
    settings.ACTION_RATES = {**settings.ACTION_RATES, "mail": "100000/hour"}
    message_id(cast.ticket)
    before = Ticket.objects.count()
    for seed in range(EXAMPLES // 3):
        content = mutated(Random(seed))
        if content.strip():
            check(receive(mailbox, content), content, cast, seed)
    made = ReceivedMessage.objects.filter(state="processed", reply=None).exclude(ticket=None).count()
    assert Ticket.objects.count() - before == made
    replies = Reply.objects.filter(is_internal=False)  # the note of staff who forward a message comes with its ticket
    assert replies.count() == ReceivedMessage.objects.exclude(reply=None).count()


def check(message, content, cast, seed):
    if message.copies == 1:  # else it differs in headers only that are added on the way
        assert bytes(ReceivedMessage.objects.get(pk=message.pk).raw) == content, seed
    is_written = message.ticket is not None
    assert is_written or message.reason, seed
    assert message.state != "failed", (seed, message.reason, message.detail)
    if message.reply is not None:
        parsed = parse(content)
        assert identity.is_verified(parsed, message.mailbox), seed
        assert message.reply.author.email == parsed.sender.email, seed
        assert message.ticket == cast.ticket, seed
