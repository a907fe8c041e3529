"""A mailbox of Billing, whose server is mx.example.com."""

import pytest

from mail.models import Mailbox
from tests.mail.inbound.writing import AUTHSERV, MAILBOX


@pytest.fixture
def mailbox(cast):
    return Mailbox.objects.create(address=MAILBOX, office=cast.billing, authserv_id=AUTHSERV)
