"""Sessions of users who have just entered their password again."""

import time

from django.test import Client

from accounts.models import User


def reauthenticate(client: Client, user: User) -> None:
    """Record in the client's session that `user` has just entered their password again."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
