"""The export of a person: complete, and nothing that this person may not read."""

import io
import json
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import DeskSettings, User
from accounts.sign_in import tokens
from tests.support.cast import Cast
from tests.test_admin import signed_in
from tickets import drafts, files, services
from tickets.models import Attachment
from tickets.privacy.archive import temporary_archive
from tickets.privacy.export import export_person

pytestmark = pytest.mark.django_db

# Relations to User that the export leaves out, and why.
NOT_EXPORTED = {
    "tickets.IdempotencyKey": "digests of requests, kept for a day",
    "accounts.Office_agents": "exported as `offices`",
    "accounts.Invitation": "the addresses of others, invited by an admin",
    "audit.AuditEntry": "the site's security log, which names the person by key only",
    "mail.MailPreference": "choices of a form",
    "mail.OutgoingMail": "records of sending what the person received",
    "tickets.NotificationPreference": "choices of a form",
    "tickets.PushSubscription": "addresses of the sessions' browsers, which end with them",
    "tickets.Mention": "names in notes of colleagues",
    "tickets.CustomerNote": "internal, as notes of tickets are",
    "tickets.TicketSplit": "that the person made it is in the timeline of its ticket",
    "tickets.TicketLink": "that the person made it is in the timelines of its tickets",
    "tickets.SavedReply": "templates of the work, not words about the person",
    "tickets.Macro": "templates of the work, not words about the person",
    "tickets.SavedView": "filters of the work, not words about the person",
}


def upload(by: User, name: str, content: bytes = b"plain words\n") -> Attachment:
    file = ContentFile(content, name)
    return files.store(file, by=by)


@contextmanager
def archive_of(person: User) -> Iterator[zipfile.ZipFile]:
    with temporary_archive(person) as file, zipfile.ZipFile(file) as archive:
        yield archive


def exported(person: User) -> dict[str, Any]:
    """Return the JSON documents by name, and the names of all files."""
    with archive_of(person) as archive:
        documents = {name: json.loads(archive.read(name)) for name in archive.namelist() if "/" not in name}
        return documents | {"names": archive.namelist(), "text": b"".join(map(archive.read, archive.namelist()))}


def unpacked(response: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def test_customer_gets_their_account_and_tickets(cast: Cast) -> None:
    UserSession.objects.create(user=cast.casey, ip="192.0.2.7", session_key="x", user_agent="Firefox")
    Authenticator.objects.create(user=cast.casey, type=Authenticator.Type.TOTP, data={"secret": "TOPSECRET"})
    token, secret = tokens.issue(cast.casey, name="Import", days=30)
    cast.reply(cast.casey, "My second message")
    services.add_reply(cast.ticket, by=cast.bao, message="Answer", attachments=[upload(cast.bao, "invoice.txt")])
    found = exported(cast.casey)
    account = found["account.json"]
    assert account["account"]["email"] == "casey@example.com"
    assert account["email_addresses"] == [{"email": "casey@example.com", "verified": True, "primary": True}]
    assert account["sessions"][0]["ip"] == "192.0.2.7"
    assert account["api_tokens"][0]["id"] == str(token.id)
    (ticket,) = found["tickets.json"]
    assert (ticket["subject"], ticket["message"]) == ("Charged twice", "Two charges for *May*.")
    assert [line["message"] for line in ticket["conversation"]] == ["My second message", "Answer"]
    assert [entry["action"] for entry in ticket["activity"]] == ["created", "replied", "replied"]
    path = f"files/{cast.ticket.reference}/invoice.txt"
    assert ticket["conversation"][1]["files"] == [path]
    assert path in found["names"]
    for hidden in (secret, token.digest, "TOPSECRET", cast.casey.password):
        assert hidden.encode() not in found["text"]


@pytest.mark.parametrize("names", ["full", "first", "office"])
def test_customer_gets_no_note_and_no_hidden_name(cast: Cast, names: str) -> None:
    DeskSettings(staff_names=names).save()
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.dana})
    services.add_reply(
        cast.ticket, by=cast.bao, message="SECRET note", internal=True, attachments=[upload(cast.bao, "secret.txt")]
    )
    hidden = cast.reply(cast.bao, "SECRET reply")
    services.change_visibility(hidden, by=cast.dana, internal=True)
    services.update_ticket(cast.ticket, by=cast.bao, values={"office": cast.fraud})
    cast.reply(cast.ada, "Public answer")
    text = exported(cast.casey)["text"].decode()
    assert "Public answer" in text
    for word in ("SECRET", "secret.txt", "Fraud"):
        assert word not in text
    shown = {"full": ["Dana Okafor", str(cast.dana.pk)], "first": ['"Dana"'], "office": []}[names]
    for word in ("Dana", "Okafor", str(cast.dana.pk), str(cast.bao.pk), "dana@example.com"):
        assert (word in text) == any(word in each for each in shown) or (names == "full" and word == str(cast.bao.pk))


def test_agent_gets_their_own_messages_and_notes(cast: Cast) -> None:
    cast.reply(cast.bao, "My answer")
    cast.reply(cast.bao, "My note", internal=True)
    cast.reply(cast.dana, "A note of Dana", internal=True)
    found = exported(cast.bao)
    assert [line["message"] for line in found["messages.json"]] == ["My answer", "My note"]
    assert [entry["action"] for entry in found["activity.json"]] == ["replied", "noted"]
    assert b"A note of Dana" not in found["text"]
    assert found["account.json"]["offices"] == ["Billing"]


def test_notes_of_tickets_that_an_agent_lost_stay_internal(cast: Cast) -> None:
    cast.reply(cast.bao, "My answer")
    services.add_reply(
        cast.ticket, by=cast.bao, message="My note", internal=True, attachments=[upload(cast.bao, "note.txt")]
    )
    User.objects.filter(pk=cast.bao.pk).update(role=User.Role.CUSTOMER)
    found = exported(User.objects.get(pk=cast.bao.pk))
    assert [line["message"] for line in found["messages.json"]] == ["My answer"]
    assert b"My note" not in found["text"]
    assert "note.txt" not in "".join(found["names"])


def test_deactivated_person_gets_what_they_could_read(cast: Cast) -> None:
    before = exported(cast.casey)["tickets.json"]
    User.objects.filter(pk=cast.casey.pk).update(is_active=False)
    assert exported(User.objects.get(pk=cast.casey.pk))["tickets.json"] == before


def test_files_keep_their_names_and_never_overwrite_one_another(cast: Cast) -> None:
    attachments = [upload(cast.casey, name, name.encode()) for name in ("a.txt", "A.TXT", "a.txt", "con.txt")]
    services.add_reply(cast.ticket, by=cast.casey, message="Files", attachments=attachments)
    upload(cast.casey, "unsent.txt")
    missing = upload(cast.casey, "lost.txt")
    missing.file.storage.delete(missing.file.name)
    Attachment.objects.filter(filename="a.txt").update(filename="../../a.txt")
    with archive_of(cast.casey) as archive:
        names = [name for name in archive.namelist() if name.startswith("files/")]
        account = json.loads(archive.read("account.json"))
        ticket = f"files/{cast.ticket.reference}"
        assert archive.read(f"{ticket}/_.._a.txt") == b"a.txt"
    expected = ["_.._a.txt", "A.TXT", "_.._a (2).txt", "_con.txt"]
    assert names == [f"{ticket}/{name}" for name in expected] + ["files/unsent/unsent.txt", "files/unsent/lost.txt"]
    assert [file["is_stored"] for file in account["files"]] == [True] * 5 + [False]


def test_number_of_queries_does_not_grow_with_tickets(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        ticket = services.open_ticket(by=cast.casey, subject=f"Ticket {number}", content="x", office=cast.billing)
        services.add_reply(ticket, by=cast.bao, message="Answer")
    with django_assert_max_num_queries(25):
        assert len(exported(cast.casey)["tickets.json"]) == 31


def test_own_drafts_are_exported_and_those_of_others_are_not(cast: Cast) -> None:
    drafts.save_draft(drafts.Content("Half a note", is_internal=True), by=cast.bao, ticket=cast.ticket, base=0)
    drafts.save_draft(drafts.Content("Half a question"), by=cast.casey, ticket=None, base=0)
    (mine,) = exported(cast.bao)["account.json"]["drafts"]
    assert (mine["text"], mine["is_internal"], mine["ticket__uuid"]) == ("Half a note", True, str(cast.ticket.uuid))
    found = exported(cast.casey)
    assert [draft["text"] for draft in found["account.json"]["drafts"]] == ["Half a question"]
    assert b"Half a note" not in found["text"]


def test_every_relation_to_users_is_exported_or_listed(cast: Cast) -> None:
    exported_models = {
        "account.EmailAddress", "usersessions.UserSession", "mfa.Authenticator", "accounts.ApiToken",
        "admin.LogEntry", "tickets.Ticket", "tickets.Reply", "tickets.Attachment", "tickets.TimelineEntry",
            "tickets.ReadMark", "tickets.DeliveryMark", "tickets.Draft", "tickets.Notification",
            "tickets.TicketSubscription", "tickets.Participant", "tickets.OrganizationMember",
            "tickets.OrganizationRemoval", "socialaccount.SocialAccount",
    }  # fmt: skip
    related = {
        relation.related_model._meta.label
        for relation in User._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete
    } - {"accounts.Office"}
    assert related == exported_models | NOT_EXPORTED.keys()


# Command


def test_command_writes_a_private_archive_or_folder(cast: Cast, tmp_path: Path, capsys: Any) -> None:
    archive, folder = tmp_path / "casey.zip", tmp_path / "casey"
    call_command("export_person", "Casey@Example.com", output=str(archive))
    call_command("export_person", "casey@example.com", output=str(folder))
    assert capsys.readouterr().out == f"Exported to {archive}.\nExported to {folder}.\n"
    names = zipfile.ZipFile(archive).namelist()
    assert names == [file.path for file in export_person(cast.casey)]
    assert {path.name for path in folder.iterdir()} == {name.split("/")[0] for name in names}
    assert stat.S_IMODE(archive.stat().st_mode) == stat.S_IMODE((folder / "account.json").stat().st_mode) == 0o600


def test_command_refuses_unknown_people_and_targets_in_use(cast: Cast, tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_text("mine")
    for email, output, words in [
        ("unknown@example.com", "x.zip", "No person has the email address unknown@example.com"),
        ("casey@example.com", "file.zip", "File exists"),
        ("casey@example.com", ".", "not empty"),
    ]:
        with pytest.raises(CommandError, match=words):
            call_command("export_person", email, output=str(tmp_path / output))
    assert (tmp_path / "file.zip").read_text() == "mine"


# Pages


def test_admin_downloads_the_data_of_a_person(cast: Cast) -> None:
    admin = signed_in(cast.ada)
    page = f"/admin/accounts/user/{cast.casey.pk}"
    assert f"{page}/export/" in admin.get(f"{page}/change/").text
    response = admin.post(f"{page}/export/")
    assert response["Content-Type"] == "application/zip"
    assert f'filename="person-{cast.casey.pk}.zip"' in response["Content-Disposition"]
    assert "no-cache" in response["Cache-Control"]
    assert "tickets.json" in unpacked(response).namelist()
    chosen = {"action": "export_selected", "_selected_action": [str(cast.casey.pk)]}
    assert "tickets.json" in unpacked(admin.post("/admin/accounts/user/", chosen)).namelist()
    assert "Data exported." in admin.get(f"{page}/history/").text


def test_only_admins_export_others(cast: Cast) -> None:
    page = f"/admin/accounts/user/{cast.dana.pk}"
    agent = signed_in(cast.bao)
    assert "/export/" not in agent.get(f"{page}/change/").text
    assert agent.post(f"{page}/export/").status_code == 403
    assert signed_in(cast.casey).post(f"{page}/export/").status_code == 302
    assert signed_in(cast.ada).get(f"{page}/export/").status_code == 405
    chosen = {"action": "export_selected", "_selected_action": [str(cast.dana.pk)]}
    assert agent.post("/admin/accounts/user/", chosen)["Content-Type"].startswith("text/html")


def test_people_download_their_own_data_at_a_limited_rate(cast: Cast, settings: Any) -> None:
    settings.ACTION_RATES = settings.ACTION_RATES | {"export": "1/hour"}
    client = signed_in(cast.casey)
    assert "/profile/data/" in client.get("/profile/").text
    response = client.post("/profile/data/")
    assert response["Cache-Control"] == "private, no-store"
    assert json.loads(unpacked(response).read("account.json"))["account"]["id"] == str(cast.casey.pk)
    refused = client.post("/profile/data/")
    assert (refused.status_code, refused["Retry-After"]) == (429, "3600")
    assert client.get("/profile/data/").status_code == 405
    assert Client().post("/profile/data/").status_code == 302
