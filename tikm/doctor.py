"""What `realtime_doctor` and `serve` test of this project, beside its live updates."""

import os
import shutil
from pathlib import Path

from django.conf import settings

from accounts.models import User
from jobs import doctor as jobs_doctor
from mail import doctor as mail_doctor
from realtime.doctor.problem import Advice, Problem
from realtime.doctor.steps import Step

MIN_FREE = 1024**3  # bytes, on the disks of attachments and of an SQLite database


def check_files() -> str:
    """Return the folder for attachments. Raises Problem if this user cannot write it."""
    folder = _files_folder()
    existing = _existing(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_usable = os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        is_usable = False
    if not is_usable:
        raise Problem(
            f"This user may not write the folder for attachments, {folder}.",
            f"Make them the owner of {existing}, or set FILES_DIR to another folder.",
        )
    return f"attachments are stored in {folder}"


def check_disk() -> str:
    """Return the free space where this project writes."""
    folders = [_files_folder()]
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        folders.append(Path(settings.DATABASES["default"]["NAME"]).parent)
    free = {folder: shutil.disk_usage(_existing(folder)).free for folder in folders}
    folder = min(free, key=lambda each: free[each])
    if free[folder] < MIN_FREE:
        raise Advice(
            f"The disk of {folder} has {free[folder] // 1024**2} MB left.", "Make room, or move it to another disk."
        )
    return f"{free[folder] // 1024**3} GB are free"


def check_single_sign_on() -> str:
    """Return the sign-in page of the OpenID Connect provider. Raises Problem if it cannot be reached."""
    from accounts.sign_in.back_channel_logout import configuration  # loads libraries that few processes need

    issuer = settings.OIDC["issuer"]
    try:
        found = configuration()
        page, stated = str(found["authorization_endpoint"]), str(found["issuer"])
    except (OSError, KeyError, ValueError) as error:
        raise Problem(
            f"The OpenID Connect provider {issuer} does not describe itself: {error!r}.",
            "Set OIDC_ISSUER to the address before `/.well-known/openid-configuration`, and allow the way there.",
        ) from None
    if stated.rstrip("/") != issuer:
        raise Problem(
            f"The OpenID Connect provider at {issuer} calls itself {stated}.", f"Set OIDC_ISSUER to {stated}."
        )
    return f"people sign in at {page}"


def probe_user() -> User | None:
    """Return an admin, whose page the doctor plays."""
    return User.objects.filter(is_active=True, role=User.Role.ADMIN).first()


def probe_channel(user: User) -> str:
    """Return the user's own channel."""
    return f"private-user.{user.pk}"


def _files_folder() -> Path:
    return Path(settings.STORAGES["attachments"]["OPTIONS"]["location"])


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


steps = [
    *jobs_doctor.steps,
    *mail_doctor.steps,
    Step("files", check_files, at_start=True),
    Step("disk", check_disk),
    *([Step("single sign-on", check_single_sign_on)] if settings.OIDC else []),
]
