"""A customer and an agent who write to each other, one by mail and one on the page."""

import io
import sys
from email import message_from_bytes, policy
from unittest.mock import patch

from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import DeskSettings
from jobs.models import Job
from mail.models import Mailbox
from tests.mail.inbound.writing import AUTHSERV, MAILBOX, write
from tests.support.jobs import run_due_jobs
from tests.support.sockets import do, subscribe
from tickets.models import Ticket


async def play(cast, smtp):
    """Have a mail answered on the page, and the answer answered by mail; each is live on the agent's page."""
    await do(_prepare, cast)
    bao = await subscribe(cast.bao, cast.billing.channel)
    await do(_hand_over, write("Where is my parcel?", subject="Parcel", message_id="<q@example.com>"))
    uuid = (await bao.event("ticket.created"))["ticket"]["uuid"]

    ticket = await do(Ticket.objects.get, uuid=uuid)
    await do(_answer_on_the_page, cast, ticket)
    assert (await bao.event("ticket.reply.created"))["reply"]["message"] == "It arrives tomorrow."

    mails = await do(_sent, smtp)
    receipt, answer = (
        next(each for each in mails if text in each.as_string()) for text in ("We have received", "tomorrow")
    )
    assert answer["In-Reply-To"] == "<q@example.com>"
    assert receipt["Reply-To"] == answer["Reply-To"]

    text = "Thank you!\n\nOn Sunday, Billing wrote:\n> It arrives tomorrow."
    headers = {"message_id": "<a@example.com>", "to": str(answer["Reply-To"]), "In_Reply_To": answer["Message-ID"]}
    await do(_hand_over, write(text, subject=f"Re: {answer['Subject']}", **headers))
    reply = (await bao.event("ticket.reply.created"))["reply"]
    assert (reply["message"], reply["user"]["name"]) == ("Thank you!", "Casey Rivers")
    await bao.close()


def _prepare(cast):
    DeskSettings(unseen_minutes=0).save()
    Mailbox.objects.create(address=MAILBOX, office=cast.billing, authserv_id=AUTHSERV)


def _hand_over(raw):
    """Receive a message as from a mail server, and process it."""
    with patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw))):
        call_command("receive_mail", mailbox=MAILBOX)
    run_due_jobs()


def _answer_on_the_page(cast, ticket):
    client = Client()
    client.force_login(cast.bao)
    response = client.post(f"{ticket.get_absolute_url()}replies/", {"message": "It arrives tomorrow."})
    assert response.status_code == 302


def _sent(smtp):
    """Send what is owed to the customer; return it as the mail server has it."""
    Job.objects.exclude(run_at=None).update(run_at=timezone.now())
    run_due_jobs()
    mine = [each for each in smtp.received if each.rcpt_tos == ["casey@example.com"]]
    return [message_from_bytes(each.content, policy=policy.default) for each in mine]
