"""Files for a message, and how a user adds them."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk, is_live
from tests.tickets.files.test_files import PNG

PICTURE = {"name": "receipt.png", "mimeType": "image/png", "buffer": PNG}


TEXT = {"name": "log.txt", "mimeType": "text/plain", "buffer": b"line\n" * 300}


PROGRAM = {"name": "setup.png", "mimeType": "image/png", "buffer": b"MZ" + b"\x00" * 300}


def pick(page: Page, *files: dict) -> None:
    page.locator("#id_uploads").set_input_files(list(files))


def named(page: Page) -> list[str]:
    """Wait until nothing is on its way, and return the names of what will be sent."""
    expect(page.locator(".file-item[data-state=uploading]")).to_have_count(0)
    return page.locator(".file-item[data-state=done] .file-item-name").all_inner_texts()


def at_a_ticket(desk: Desk, *names: str, **options: Any) -> list[Page]:
    """Return the page of Casey's ticket that each one has."""
    pages = [desk.enter(name, **options).page(desk.ticket) for name in names]
    for page in pages:
        is_live(page)
    return pages
