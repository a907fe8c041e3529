"""The map of JavaScript modules: kept by browsers, and never under the address of another release."""

from django.test import Client

from tikm.assets import module_map_url


def test_map_of_modules_is_kept_under_the_address_of_its_own_release_only() -> None:
    ours, another = Client().get(module_map_url()), Client().get("/modules.js?v=of-another-release")
    assert "immutable" in ours["Cache-Control"]
    assert another["Cache-Control"] == "private, no-store"
    assert another.content == ours.content
