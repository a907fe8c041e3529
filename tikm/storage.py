"""Static files under names that change with their content, ES modules' imports included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModulesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also rewrites `import ... from "./x.js"`, so that browsers may cache modules for ever."""

    support_js_module_import_aggregation = True
