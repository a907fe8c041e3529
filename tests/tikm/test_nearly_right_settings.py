"""A setting that is nearly right stops the start, with its name, the value found and an example."""

import os
import re
import runpy
from typing import Any
from unittest.mock import patch

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from tests.support.servers.instances import TOP
from tests.tikm.test_settings import GOOD

HIDDEN = "hunter2"  # the part of a refused value that must not be repeated
SECRET = "Rq3" * 12
BOOLEAN = ["ture", "ja", "2", "True.", "yes please", "enabled", "-1"]  # codespell:ignore
NUMBER = ["10MB", "1O", "1e7", "5,000", "0x10", "-1", "1.5", "ten", "5 MB", "0", "9" * 19, "\u0665"]
PROXY = ["localhost", "127.0.0.1:8080", "127.0.0.1 ::1", "10.0.0.1/8", "10.0.0.256", "http://10.0.0.1", "10.0.0.*",
         "127.0.0.1;::1", "[::1]", "0.0.0.0/0"]  # fmt: skip

# By name: refused values.
NEARLY_RIGHT: dict[str, list[Any]] = {
    "SECRET_KEY": [f" {SECRET}", f"{SECRET}\n", "<long random string>", "$(openssl rand -hex 32)",
                   "${SECRET_KEY}", "changeme", "replace-me!"],
    "DEBUG": BOOLEAN,
    "ALLOWED_HOSTS": ["https://desk.example", "desk.example:8080", "desk.example/", "desk.example www.desk.example",
                      "*.desk.example", "desk..example", "desk.example;www.desk.example", "::1", "-desk.example",
                      "m\u00fcnchen.example", "user@desk.example", "desk.example,https://www.desk.example",
                      "['desk.example']"],
    "SITE_URL": ["desk.example", "https//desk.example", "https:/desk.example", "https://", "ftp://desk.example",
                 "https://desk.example/help/", "https://desk example", "https://desk.example:https",
                 "https://desk.example?x=1"],
    "CSRF_TRUSTED_ORIGINS": ["app.example", "https://app.example/", "https://app.example/path", "https:app.example",
                             "https://app.example https://b.example", "https://*", "*", "https://app.example:443",
                             "http://app.example:80", "wss://app.example", "https://app.*.example"],
    "DATABASE_URL": ["tikm", "localhost/tikm", "postgres:/tikm@db/tikm", "postgresql//tikm@db/tikm",
                     "postgres://tikm@db:port/tikm", "postgres://db", "mysql://tikm@db/tikm", "sqlite://tikm.sqlite3",
                     "sqlite://var/tikm.sqlite3", f"postgre://tikm:{HIDDEN}@db/tikm",
                     f"postgres//tikm:{HIDDEN}@db/tikm", f"tikm:{HIDDEN}@db/tikm",
                     f"postgres://tikm:{HIDDEN}@db:x/tikm", f"pg://db/tikm?password={HIDDEN}",
                     f"postgres://tikm:{HIDDEN}/a@b@db:99999/tikm"],
    "TRUSTED_PROXIES": [*PROXY, "unixx", "UNIX"],
    "REDIS_URL": ["cache:6379", "cache", "redis:/cache", "redis:cache:6379", "http://cache:6379", "redis://cache:port",
                  "redis://cache:6379/one", "redis://:6379", "unix://run/redis.sock", "redis://ca che:6379",
                  f"redis//:{HIDDEN}@cache", f"redis://:{HIDDEN}@cache:port/0", f"reds://x:{HIDDEN}@cache/0"],
    "REDIS_SENTINELS": ["redis-a", "redis://redis-a:26379", "redis-a:26379 redis-b:26379", "redis-a:port", ":26379"],
    "REDIS_PREFIX": ["our desk", "desk:a", "desk/a", "x" * 41, "t\u00e9st", "desk*"],
    "EMAIL_URL": ["mail.example.com", "mail.example.com:25", "smtp:/mail.example.com", "smtp://",
                  "smpt://mail.example",  # codespell:ignore
                  "smtp://mail.example:submission", "tls://mail.example.com", "filemail://", "console",
                  f"smtp+tsl://user:{HIDDEN}@mail.example:587", f"user:{HIDDEN}@mail.example",
                  f"smtp://user:{HIDDEN}@mail.example:x"],
    "MAIL_REPLY_ADDRESS": ["reply", "reply+x@desk.example", "@desk.example", "Desk <reply@desk.example>",
                           "r" * 26 + "@a.b"],
    "DEFAULT_FROM_EMAIL": ["the desk", "desk@", "@desk.example", "desk at desk.example", "TIKM <desk>", "a b@desk@x",
                           "desk@desk.example\nBcc: a@b.example"],
    "METRICS_TOKEN": ["short", f"{HIDDEN} x", "x" * 201],
    "MAIL_WEBHOOK_SECRET": ["short", f"{HIDDEN} x", "x" * 201],
    "MAILGUN_SIGNING_KEY": ["short", f"{HIDDEN} x", "x" * 201],
    "OIDC_ISSUER": ["login.example", "http://login.example", "https//login.example", "https://login.example?x=1",
                    "https://log in.example", "ftp://login.example"],
    "OIDC_CLIENT_ID": ["our desk", "x" * 192, "t\u00e9st"],
    "OIDC_CLIENT_SECRET": ["short", f"{HIDDEN} x", "x" * 201],
    "OIDC_NAME": ["Ac\nme", "x" * 41],
    "OIDC_SCOPES": ["openid profile"],
    "OIDC_EMAIL_DOMAINS": ["@example.com", "example.com;b.example", "*.example.com", "https://example.com"],
    "OIDC_GROUPS_CLAIM": ["our groups", "gr\u00fcppen!"],
    "OIDC_ROLES": ["desk-admins", "desk-admins=boss", "=admin", "desk-admins:admin", "a=admin;b=agent"],
    "OIDC_OFFICES": ["billing-team", "=Billing", "billing-team=", "billing-team:Billing"],
    "FILES_DIR": ["files", "./files", "~/files", "../files", "$HOME/files", str(TOP / "manage.py")],
    "REPLY_EDIT_MINUTES": [*(number for number in NUMBER if number != "0"), "15m", "1441"],
    "ATTACHMENT_MAX_BYTES": NUMBER,
    "ATTACHMENT_MAX_FILES": NUMBER,
    "ATTACHMENT_QUOTA_BYTES": [number for number in NUMBER if number != "0"],
    "HSTS_SECONDS": [*(number for number in NUMBER if number != "0"), "1y", "63072001"],
    "SECURITY_CONTACT": ["security@example.com", "mailto:security", "http://example.com/security", "mailto:a@b c",
                         "https//example.com"],
    "STAFF_IDLE_MINUTES": [*(number for number in NUMBER if number != "0"), "9", "1h", "20161"],
    "MAIL_RETENTION_DAYS": [number for number in NUMBER if number != "0"],
    "MAIL_ATTACHMENT_BYTES": [number for number in NUMBER if number != "0"],
    "MAIL_MAX_BYTES": NUMBER,
    "ATTACHMENT_TYPES": ["pdf", ".pdf", "PDF", "application/pdf;image/png", "application/pdf image/png", "image/*",
                         "application"],
    "ATTACHMENT_REMOVE_LOCATION": BOOLEAN,
    "ATTACHMENT_SCANNER": ["no-such-scanner -", "/usr/bin/no-such-scanner", "'cat", "true;false", "$SCANNER -"],
    "ATTACHMENT_SCANNER_FAIL_OPEN": BOOLEAN,
    "ATTACHMENT_ACCEL_LOCATION": ["tikm-files", "/tikm-files", "tikm-files/", "/srv/tikm/files/", "/", "/../",
                                  "https://desk.example/files/", "/a b/"],
    "JOBS_BROKER": ["Redis", "rq", "database", "ORM", "redis"],  # the last one without REDIS_URL
    "BROADCAST_CONNECTION": ["channel", "Channels", "redis", "reverb", "none", "channels,log"],
    "REALTIME_APP_ID": ["tikm", "1.0", "-1", "1 2", "0x1", "1" * 19, "\u0661"],
    "REALTIME_APP_KEY": ["a b", "a/b", "key?", "k\u00e9y", "x" * 101, "https://desk.example"],
    "REALTIME_APP_SECRET": [f"{SECRET} ", "a,b,c", "<secret>", "$APP_SECRET", ",", "change-me"],
    "REALTIME_HOST": ["wss://ws.example", "ws.example:6001", "ws.example/app", "ws.example,b.example", "ws example",
                      "*.example", "::1", ".ws.example"],
    "REALTIME_PORT": [*(number for number in NUMBER if number != "0"), "65536", "443/tcp", "https", ":443"],
    "REALTIME_SCHEME": ["wss", "ws", "HTTPS", "https://", "tls"],
    "REALTIME_DEBUG": BOOLEAN,
    "STAFF_TWO_FACTOR_REQUIRED": BOOLEAN,
    "AUDIT_RETENTION_DAYS": [number for number in NUMBER if number != "0"],
    "LOG_FORMAT": ["JSON", "logfmt", "text,json", "true"],
    "REALTIME_WEBHOOKS": ["a.example/hook", "ftp://a.example/", "https://a.example/ member_left", "https:/a.example",
                          "member_added https://a.example/", f"https://a.example/#{HIDDEN}",
                          f"https://user:{HIDDEN}@a.example/", f"htps://user:{HIDDEN}@a.example/"],
    "REALTIME_WEBHOOK_NETWORKS": ["10.1.0.1/16", "10.1.0.0/33", "10.1", "localhost", "10.1.0.0/16 10.2.0.0/16", "*"],
}  # fmt: skip


def read(**environment: str) -> str:
    """Return the error of reading the settings in this environment, or an empty string."""
    with patch.dict(os.environ, environment, clear=True):
        try:
            runpy.run_path(str(TOP / "tikm/settings.py"))
        except ImproperlyConfigured as error:
            return str(error)
    return ""


def names_in_readme() -> set[str]:
    table = re.findall(r"^\| (`[A-Z].*?) \|", (TOP / "README.md").read_text(), re.MULTILINE)
    return {name for cell in table for name in re.findall(r"`([A-Z_]+)`", cell)}


def test_every_name_in_the_readme_has_nearly_right_values() -> None:
    assert names_in_readme() == NEARLY_RIGHT.keys()


@pytest.mark.parametrize("name", NEARLY_RIGHT)
def test_nearly_right_value_is_refused_with_its_name_and_an_example(name: str) -> None:
    for value in NEARLY_RIGHT[name]:
        sentence = read(**{**GOOD, name: value})
        assert sentence.startswith(name), (value, sentence)
        assert re.search(r"set it to|set REDIS_URL|such as|takes one", sentence, re.IGNORECASE), sentence
        assert HIDDEN not in sentence
        if name in (
            "SECRET_KEY",
            "REALTIME_APP_SECRET",
            "METRICS_TOKEN",
            "MAIL_WEBHOOK_SECRET",
            "MAILGUN_SIGNING_KEY",
            "OIDC_CLIENT_SECRET",
        ):
            assert len(value) < 8 or value.strip() not in sentence
        elif "@" not in value and HIDDEN not in value:
            shown = value.strip().partition("?")[0]
            assert any(repr(part)[1:-1] in sentence for part in (shown, *shown.split(","), *shown.split())), sentence


def test_provider_without_its_client_is_refused() -> None:
    whole = {"OIDC_ISSUER": "https://login.example/", "OIDC_CLIENT_ID": "desk", "OIDC_CLIENT_SECRET": SECRET}
    assert read(**GOOD, **whole) == ""
    for missing in whole:
        given = {name: value for name, value in whole.items() if name != missing}
        assert f"is set without {missing}; set it to nothing, or all three." in read(**GOOD, **given)


RIGHT = {
    "OIDC_ROLES": ["desk-admins=admin, support=agent", ""],
    "OIDC_OFFICES": ["a=Billing, b=Technical Support", ""],
    "OIDC_SCOPES": ["openid, profile, email, groups", ""],
    "DEBUG": ["false", "False", "0", "no", "off", ""],
    "ALLOWED_HOSTS": ["desk.example, www.desk.example", ".desk.example", "localhost,127.0.0.1,[::1]",
                      "desk_1", "DESK.example"],
    "SITE_URL": ["https://desk.example", "https://desk.example:8443/", "http://[::1]:8000", ""],
    "CSRF_TRUSTED_ORIGINS": ["https://app.example,http://localhost:3000", "https://*.app.example",
                             " https://App.Example ", ""],
    "DATABASE_URL": ["postgres://postgres@/postgres?host=/run", "postgresql://a:b%2Fc@db:5432/tikm",
                     "sqlite:////srv/tikm.sqlite3", "sqlite:///:memory:", ""],
    "TRUSTED_PROXIES": ["127.0.0.1, ::1", "10.1.0.0/16,unix", ""],
    "REDIS_URL": ["redis://cache", "redis://a:6379/0,redis://b:6379/0", "redis://:pass@cache:6379/1",
                  "rediss://cache:6379", "unix:///run/redis.sock?db=3",
                  "redis://cache:6379?db=2", "unix://:pass@/run/redis.sock", ""],
    "EMAIL_URL": ["consolemail://", "smtp+tls://user%40a.example:pa%3Ass@mail.example:587", "smtp://mail.example",
                  "filemail:///srv/mail", ""],
    "MAIL_REPLY_ADDRESS": ["reply@desk.example", "reply@localhost", ""],
    "DEFAULT_FROM_EMAIL": ["desk@desk.example", "TIKM <desk@desk.example>", '"Desk, Berlin" <desk@desk.example>'],
    "FILES_DIR": ["/srv/tikm/files", str(TOP), ""],
    "ATTACHMENT_MAX_BYTES": ["1", "10485760", ""],
    "ATTACHMENT_TYPES": ["application/pdf, image/png", ""],
    "ATTACHMENT_ACCEL_LOCATION": ["/tikm-files/", ""],
    "REALTIME_HOST": ["ws.example", "10.0.0.1", ""],
    "REALTIME_PORT": ["1", "65535", "0", ""],
    "REALTIME_SCHEME": ["http", "https", ""],
    "REALTIME_APP_KEY": ["tikm", "a-b_C9", ""],
    "REALTIME_DEBUG": ["YES", "on", ""],
    "STAFF_TWO_FACTOR_REQUIRED": ["true", "no", ""],
    "REALTIME_WEBHOOKS": ["https://a.example/hook member_added member_removed, https://b.example/", ""],
    "REALTIME_WEBHOOK_NETWORKS": ["10.1.0.0/16,fd00::/8", ""],
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right_value_is_accepted(name: str) -> None:
    assert {value: read(**{**GOOD, name: value}) for value in RIGHT[name]} == dict.fromkeys(RIGHT[name], "")


@pytest.mark.parametrize(
    "name", ["REALTIME_HOSTS", "REALTIME_APP_SECRETS", "ATTACHMENT_MAX_SIZE", "ATTACHMENT_TYPE", "OIDC_URL"]
)
def test_nearly_right_name_is_refused(name: str) -> None:
    assert read(**{**GOOD, name: "1"}).startswith(f"{name} is not a setting; did you mean one of ")


@pytest.mark.parametrize("wrong", ["aplication/pdf", "image/jpg", "text/text"])  # codespell:ignore
def test_attachment_type_that_no_file_has_is_a_system_error(settings: Settings, wrong: str) -> None:
    settings.ATTACHMENT_TYPES = ["application/pdf", wrong]
    (error,) = run_checks()
    assert error.msg.startswith(f"ATTACHMENT_TYPES has {wrong!r}; set it to types among ")
    assert wrong not in error.msg.partition(";")[2]
