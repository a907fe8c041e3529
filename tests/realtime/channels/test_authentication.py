"""Who is behind the credentials of a socket, and until when."""

from datetime import UTC, datetime
from typing import Any

from accounts.models import User
from realtime.channels import authentication
from realtime.channels.authentication import Credentials

EXPIRY = datetime(2031, 5, 4, tzinfo=UTC)


def test_token_that_expires_while_it_is_read_has_an_expiry(monkeypatch: Any) -> None:
    """Without one its socket would live until the next check of all sessions."""
    bao, answers = User(email="bao@example.com"), [(None, None)]
    answers.append((bao, EXPIRY))
    monkeypatch.setattr(authentication, "_bearer_of", lambda token: answers.pop())
    assert Credentials(token="a").load_user_and_expiry() == (bao, EXPIRY)
    assert Credentials(token="a").load_user_and_expiry() == (None, None)


def test_token_of_an_inactive_user_has_no_user(monkeypatch: Any) -> None:
    answers = [(User(is_active=True), EXPIRY), (User(is_active=False), EXPIRY)]
    monkeypatch.setattr(authentication, "_bearer_of", lambda token: answers.pop())
    assert Credentials(token="a").load_user_and_expiry() == (None, None)
    assert Credentials(token="a").load_user() is not None
