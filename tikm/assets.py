"""JavaScript modules: an import map to file names with a content hash, as a script of its own."""

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django import template
from django.conf import settings
from django.core.files.storage import Storage, storages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

register = template.Library()

ECHO = "vendor/laravel-echo/echo.js"
CLASSIC = {"js/theme.js", "js/admin.js"}  # not modules: one runs before the first paint, the other in the admin


SCRIPT = """\
/* Maps the names of modules to this release's files (HTML, "Import maps"), and preloads them. */
{
  const imports = %s
  const add = (name, values) => document.head.append(Object.assign(document.createElement(name), values))
  const { nonce } = document.currentScript
  add("script", { type: "importmap", nonce, textContent: JSON.stringify({ imports }) })
  for (const href of new Set(Object.values(imports))) add("link", { rel: "modulepreload", href })
}
"""


@register.simple_tag
def module_map_url() -> str:
    """Return the address of the script that maps modules; it changes with their files."""
    return f"{reverse('module-map')}?v={_version()}"


@require_safe
def module_map(request: HttpRequest) -> HttpResponse:
    """Return a script that maps modules to this release's files: it would be a third of each page."""
    response = HttpResponse(_module_map(storages["staticfiles"]), content_type="text/javascript")
    # During an upgrade a page of another release may ask this one: its address must not stand for this map.
    if request.GET.get("v") == _version():
        patch_cache_control(response, public=True, max_age=365 * 24 * 3600, immutable=True)
    return response


def _version() -> str:
    return sha256(_module_map(storages["staticfiles"]).encode()).hexdigest()[:12]


@lru_cache
def _module_map(storage: Storage) -> str:
    imports = {f"{settings.STATIC_URL}{name}": storage.url(name) for name in _modules()}
    return SCRIPT % json.dumps({"laravel-echo": storage.url(ECHO), **imports})


def _modules() -> list[str]:
    directory = Path(settings.BASE_DIR) / "static"
    names = {str(path.relative_to(directory)) for path in directory.glob("js/**/*.js")}
    return sorted(names - CLASSIC)
