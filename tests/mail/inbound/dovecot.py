"""A Dovecot server of its own on loopback, with one mailbox in a folder."""

import getpass
import grp
import os
import shutil
import uuid
from contextlib import suppress
from imaplib import IMAP4
from pathlib import Path

from tests.support.servers.instances import Instance, free_port, unprivileged

USER, PASSWORD = "desk", "secret"
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail
first_valid_uid = 1
mailbox_idle_check_interval = 1s
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot(Instance):
    """An IMAP server whose mailbox is `directory`/mail."""

    def __init__(self, directory: Path) -> None:
        self.port, self.mail = free_port(), directory / "mail"
        identity = unprivileged()
        user = identity.get("user", getpass.getuser())
        group = grp.getgrgid(identity.get("group", os.getgid())).gr_name
        settings = {"folder": directory, "user": user, "group": group, "password": PASSWORD, "port": self.port}
        path = directory / "dovecot.conf"
        path.write_text(CONFIGURATION.format(**settings))
        for name in ("run", "mail", "mail/tmp", "mail/new", "mail/cur"):
            (directory / name).mkdir()
        if identity:
            for each in (directory, *directory.rglob("*")):
                shutil.chown(each, identity["user"], identity["group"])
        program = shutil.which("dovecot") or "/usr/sbin/dovecot"
        super().__init__([program, "-F", "-c", str(path)], directory, **identity)

    def answers(self) -> bool:
        """Whether it greets a client by now."""
        with suppress(OSError, IMAP4.error), IMAP4("127.0.0.1", self.port, timeout=2):
            return True
        return False

    def deliver(self, raw: bytes) -> None:
        """Put a message into the mailbox, as a delivery agent does."""
        name = uuid.uuid4().hex
        draft = self.mail / "tmp" / name
        draft.write_bytes(raw)
        draft.chmod(0o666)
        draft.rename(self.mail / "new" / name)
