"""Template tags for JavaScript modules: an import map to file names with a content hash."""

import json
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.core.files.storage import Storage, storages
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

ECHO = "vendor/laravel-echo/echo.js"
CLASSIC = {"js/theme.js", "js/admin.js"}  # not modules: one runs before the first paint, the other in the admin


@register.simple_tag
def import_map() -> SafeString:
    """Return the JSON of an import map to this release's files (HTML, "Import maps")."""
    return _import_map(storages["staticfiles"])


@register.simple_tag
def module_preloads() -> SafeString:
    """Return preload links for all modules, which saves a round trip for each import."""
    return _module_preloads(storages["staticfiles"])


@lru_cache
def _import_map(storage: Storage) -> SafeString:
    imports = {f"{settings.STATIC_URL}{name}": storage.url(name) for name in _modules()}
    return _script_safe(json.dumps({"imports": {"laravel-echo": storage.url(ECHO), **imports}}))


@lru_cache
def _module_preloads(storage: Storage) -> SafeString:
    return format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((storage.url(name),) for name in _modules())
    )


def _modules() -> list[str]:
    directory = Path(settings.BASE_DIR) / "static"
    names = {str(path.relative_to(directory)) for path in directory.glob("js/**/*.js")}
    return sorted(names - CLASSIC)


def _script_safe(text: str) -> SafeString:
    """Escape like Django's json_script, so that the text cannot end the script element."""
    return mark_safe(text.translate({ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}))  # noqa: S308
