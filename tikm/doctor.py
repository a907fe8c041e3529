"""What `realtime_doctor` and `serve` test of this project, beside its live updates."""

import os
from pathlib import Path

from django.conf import settings

from realtime.doctor.problem import Problem
from realtime.doctor.steps import Step


def check_files() -> str:
    """Return the folder for attachments. Raises Problem if this user cannot write it."""
    folder = Path(settings.STORAGES["attachments"]["OPTIONS"]["location"])
    existing = next(each for each in (folder, *folder.parents) if each.exists())
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


steps = [Step("files", check_files, at_start=True)]
