"""`serve` does not begin with settings of development, and says in a sentence each what to do."""

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.executor import MigrationExecutor

SOUND = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["desk.example.com"],
    "SECRET_KEY": "long enough to be a secret",
}
WRONG = {
    "DEBUG is on": {"DEBUG": True},
    "ALLOWED_HOSTS is empty": {"ALLOWED_HOSTS": []},
    "SECRET_KEY is short or the default": {"SECRET_KEY": "django-insecure-" + "x" * 40},
    "REALTIME_APP_SECRET is short or the default": {"secrets": ["long enough to be one", "short"]},
    "run manage.py collectstatic": {"static": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}


def refused(settings, *, secrets=("long enough to be a secret too",), static="", **changed):
    for name, value in (SOUND | changed).items():
        setattr(settings, name, value)
    settings.REALTIME = {**settings.REALTIME, "APP_SECRETS": secrets}
    if static:
        settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": static}}
    # With all in order it would serve; here is nothing to listen on.
    with pytest.raises(CommandError) as refusal:
        call_command("serve", fd=0)
    return str(refusal.value).splitlines()


@pytest.mark.parametrize("sentence", WRONG)
def test_each_setting_of_development_is_named(db, settings, tmp_path, sentence):
    settings.STATIC_ROOT = tmp_path
    lines = refused(settings, **WRONG[sentence])
    assert len(lines) == 1
    assert sentence in lines[0]


def test_a_database_that_is_not_up_to_date_is_named(db, settings, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["one"])
    assert refused(settings) == ["The database is not up to date: run manage.py migrate."]


def test_all_that_is_wrong_is_said_at_once(db, settings):
    assert len(refused(settings, DEBUG=True, ALLOWED_HOSTS=[])) == 2


def test_with_all_in_order_it_goes_on_to_listen(db, settings):
    assert refused(settings)[0].startswith("Cannot listen there: ")
