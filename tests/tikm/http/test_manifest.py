"""The web app manifest, by which browsers install the site."""

import json
import struct
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

STATIC = Path(settings.BASE_DIR) / "static"


@pytest.mark.django_db
def test_pages_link_the_manifest_and_an_icon_for_home_screens() -> None:
    page = Client().get("/login/").text
    assert '<link rel="manifest" href="/static/app.webmanifest"' in page
    assert '<link rel="apple-touch-icon" href="/static/img/icon-180.png"' in page


def test_icons_of_the_manifest_have_the_sizes_it_states() -> None:
    icons = json.loads((STATIC / "app.webmanifest").read_text())["icons"]
    for icon in icons:
        content = (STATIC / icon["src"]).read_bytes()
        if icon["type"] == "image/png":
            assert icon["sizes"] == "{}x{}".format(*struct.unpack(">II", content[16:24]))
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in icons}
