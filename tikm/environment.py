"""Reads the environment strictly: what is missing, misspelt or nearly right stops the start with a sentence.

The sentence names the variable, the value found and an example. Secrets, and passwords in URLs, are not repeated.
"""

import importlib.util
import os
import re
import shlex
import shutil
from collections.abc import Callable, Sequence
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from realtime import installation
from realtime.utils.client_address import parse_trusted_proxies
from realtime.utils.networks import parse_network

REALTIME_NAMES = (
    "REALTIME_APP_ID",
    "REALTIME_APP_KEY",
    "REALTIME_APP_SECRET",
    "REALTIME_HOST",
    "REALTIME_PORT",
    "REALTIME_SCHEME",
    "REALTIME_DEBUG",
    "REALTIME_WEBHOOKS",
    "REALTIME_WEBHOOK_NETWORKS",
)
# Of the Laravel system that this one replaces, and what takes their place.
REVERB_NAMES = {
    "REVERB_APP_ID": "REALTIME_APP_ID",
    "REVERB_APP_KEY": "REALTIME_APP_KEY",
    "REVERB_APP_SECRET": "REALTIME_APP_SECRET",
    "REVERB_HOST": "REALTIME_HOST",
    "REVERB_PORT": "REALTIME_PORT",
    "REVERB_SCHEME": "REALTIME_SCHEME",
    "REVERB_SERVER_HOST": "the option --host of manage.py serve",
    "REVERB_SERVER_PORT": "the option --port of manage.py serve",
    "REVERB_SCALING_ENABLED": "REDIS_URL, which is enough to share events between processes",
    "REVERB_ALLOWED_ORIGINS": "CSRF_TRUSTED_ORIGINS",
}
VITE_SUCCESSOR = "nothing: pages get it from the server"
ATTACHMENT_NAMES = (
    "ATTACHMENT_MAX_BYTES",
    "ATTACHMENT_MAX_FILES",
    "ATTACHMENT_QUOTA_BYTES",
    "ATTACHMENT_TYPES",
    "ATTACHMENT_REMOVE_LOCATION",
    "ATTACHMENT_SCANNER",
    "ATTACHMENT_SCANNER_FAIL_OPEN",
    "ATTACHMENT_ACCEL_LOCATION",
)
MAIL_BACKENDS = {
    "django.core.mail.backends.smtp.EmailBackend": "jobs.mail_backends.SMTPBackend",
    "django.core.mail.backends.filebased.EmailBackend": "jobs.mail_backends.FileBackend",
}
DEVELOPMENT_SECRET = "insecure-development-only-" + "0" * 32
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
PLACEHOLDER = re.compile(r"<.*>|\$[({].*|\$\w+|(change|replace)[-_ ]?(me|this|it)\W*", re.IGNORECASE)
LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
HOST: str = rf"({LABEL}(\.{LABEL})*|\[[0-9A-Fa-f:.]+\])"
PORT = r":\d{1,5}"


def _refuse(name: str, value: str, expected: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}; set it to {expected}.")


# -- One value. An empty one counts as missing: files and orchestrators write names without a value.


def text(name: str, default: str = "") -> str:
    """Return the value without spaces around it."""
    return os.environ.get(name, "").strip() or default


def matching(name: str, pattern: str, expected: str, *, default: str = "") -> str:
    """Return the value if it is empty or matches a regular expression."""
    value = text(name, default)
    if value and not re.fullmatch(pattern, value):
        raise _refuse(name, value, expected)
    return value


def boolean(name: str, *, default: bool) -> bool:
    """Return whether the value is true."""
    value = text(name).lower()
    if value and value not in (*TRUE, *FALSE):
        raise _refuse(name, text(name), f"one of: {', '.join(TRUE)}, {', '.join(FALSE)}")
    return value in TRUE if value else default


def command(name: str) -> list[str]:
    """Return the words of a command whose program exists; empty for none."""
    try:
        words = shlex.split(text(name))
    except ValueError:
        words = [""]
    if words and shutil.which(words[0]) is None:
        raise _refuse(name, text(name), "a command whose program is installed, such as clamdscan --no-summary -")
    return words


def integer(name: str, *, default: int, low: int, high: int, example: int, zero: str = "") -> int:
    """Return the value as a number between `low` and `high`, or 0 if `zero` says what that means."""
    value = text(name, str(default))
    if re.fullmatch(r"[0-9]{1,18}", value) and (low <= int(value) <= high or (zero and int(value) == 0)):
        return int(value)
    raise _refuse(
        name, value, f"a number from {low} to {high}, such as {example}{f', or to 0 {zero}' if zero else ''}"
    )


def choice(name: str, allowed: Sequence[str], *, default: str) -> str:
    """Return the value if it is one of `allowed`."""
    value = text(name, default)
    if value not in (*allowed, default):
        raise _refuse(name, value, f"one of: {', '.join(allowed)}")
    return value


def site_url() -> str:
    """Return SITE_URL without a slash at the end."""
    expected = "scheme and host, as in https://desk.example.com"
    return matching("SITE_URL", rf"https?://{HOST}({PORT})?/?", expected).rstrip("/")


def folder(name: str, *, default: Path) -> str:
    """Return the absolute path of a folder, which need not exist yet."""
    value = text(name, str(default))
    if not Path(value).is_absolute() or (Path(value).exists() and not Path(value).is_dir()):
        raise _refuse(name, value, "the absolute path of a folder, such as /srv/tikm/files")
    return value


# -- Secrets


def secret(name: str, *, debug: bool) -> str:
    """Return the secret `name`; only DEBUG has a default, and only DEBUG accepts that default."""
    value = os.environ.get(name, DEVELOPMENT_SECRET if debug else "")
    if not value.strip():
        raise ImproperlyConfigured(f"Set {name} to a long random string (or DEBUG=true on your own machine).")
    if not debug and "insecure" in value:
        raise ImproperlyConfigured(f"{name} is the development default: set it to a long random string.")
    if value != value.strip() or not value.isprintable():
        raise ImproperlyConfigured(
            f"{name} has spaces around it or control characters: set it to printable text, "
            "such as the output of `openssl rand -hex 32`."
        )
    if PLACEHOLDER.fullmatch(value):
        raise ImproperlyConfigured(
            f"{name} is a placeholder: set it to a long random string, such as the output of `openssl rand -hex 32`."
        )
    return value


def token(name: str) -> str:
    """Return a token of 16 or more printable characters without spaces, or an empty string; it is not repeated."""
    value = os.environ.get(name, "")
    if value and not re.fullmatch(r"[!-~]{16,200}", value):
        raise ImproperlyConfigured(
            f"{name} is short or has spaces: "
            "set it to 16 or more characters, such as the output of `openssl rand -hex 32`."
        )
    return value


def anymail(name: str, *, mailgun: str) -> dict[str, str]:
    """Return django-anymail's settings for received mail, if there is a secret: that package is an extra."""
    value = token(name)
    if value and importlib.util.find_spec("anymail") is None:
        raise ImproperlyConfigured(
            f"{name} needs django-anymail: run `pip install --require-hashes -r requirements/providers.txt`."
        )
    return {"WEBHOOK_SECRET": value and f"tikm:{value}", "MAILGUN_WEBHOOK_SIGNING_KEY": token(mailgun)}


def sender(name: str, *, debug: bool) -> str:
    """Return the address that mails are from, also as `Name <address>`; only DEBUG has a default."""
    value = text(name, "TIKM <tikm@localhost>" if debug else "")
    if not value:
        raise ImproperlyConfigured(f"Set {name} to the sender of mails, such as TIKM <desk@example.com>.")
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", parseaddr(value)[1]) or not value.isprintable():
        raise _refuse(name, value, "an address, such as TIKM <desk@example.com>")
    return value


def secrets(name: str, *, debug: bool) -> list[str]:
    """Return one secret, or two separated by a comma while they are rotated; the first one signs."""
    found = comma_separated(secret(name, debug=debug))
    if not 1 <= len(found) <= 2:
        raise ImproperlyConfigured(f"{name} takes one secret, or two separated by a comma.")
    return found


# -- Lists


def comma_separated(value: str) -> list[str]:
    """Return the parts of a list that is separated by commas."""
    return [part.strip() for part in value.split(",") if part.strip()]


def listed(name: str, pattern: str, expected: str, *, default: Sequence[str] = ()) -> list[str]:
    """Return the parts of a list, each of which matches a regular expression."""
    parts = comma_separated(text(name)) or list(default)
    for part in parts:
        if not re.fullmatch(pattern, part):
            raise ImproperlyConfigured(f"{name} has {part!r}; set it to {expected}.")
    return parts


def hosts(name: str, *, default: Sequence[str]) -> list[str]:
    """Return host names; a dot at the beginning includes subdomains. `serve` refuses `*`."""
    expected = "host names without scheme and port, separated by commas, such as desk.example.com,localhost"
    return listed(name, rf"\*|\.?{HOST}", expected, default=default)


def origins(name: str) -> list[str]:
    """Return origins; `*.` at the beginning of a host stands for subdomains."""
    expected = "origins with scheme and without path, separated by commas, such as https://app.example.com"
    # Browsers leave out the usual port, and write host names in lower case.
    unusual = r"(?!https://.*:443$|http://.*:80$)"
    return [origin.lower() for origin in listed(name, rf"{unusual}https?://(\*\.)?{HOST}({PORT})?", expected)]


def _parsed(name: str, parts: list[Any], parse: Callable[[Any], object], expected: str) -> list[Any]:
    for part in parts:
        try:
            parse(part)
        except ImproperlyConfigured as error:
            found = re.sub(r"//[^/@\s]*@", "//***@", str(error)).rstrip(".")
            raise ImproperlyConfigured(f"{name}: {found}. Set it to {expected}.") from None
    return parts


def proxies(name: str) -> list[str]:
    """Return the reverse proxies whose forwarded headers count."""
    expected = "addresses and networks separated by commas, such as 127.0.0.1,10.0.0.0/24, or unix"
    return _parsed(name, comma_separated(text(name)), lambda part: parse_trusted_proxies((part,)), expected)


def networks(name: str) -> list[str]:
    """Return networks in CIDR notation."""
    expected = "networks separated by commas, such as 10.1.0.0/16"
    return _parsed(name, comma_separated(text(name)), parse_network, expected)


def webhooks(name: str) -> list[str | tuple[str, list[str]]]:
    """Return URLs, each with the events it receives if it names any: `https://a.example/hook member_added, https://...`."""
    parts = [part.split() for part in comma_separated(text(name))]
    found = [(url, events) if events else url for url, *events in parts]
    return _parsed(name, found, _parse_webhook, "URLs separated by commas, such as https://example.com/hook")


def _parse_webhook(value: Any) -> object:
    from realtime.webhooks.config import parse_webhook  # a process that only publishes has no webhooks

    return parse_webhook(value)


def origin_patterns(origins: Sequence[str]) -> list[str]:
    """Return regular expressions of the origins with a wildcard, such as https://*.example.com."""
    starred = [re.escape(origin) for origin in origins if "*" in origin]
    return ["^" + pattern.replace(r"\*\.", r"([a-z0-9-]+\.)*") + "$" for pattern in starred]


# -- Sign-in through a provider

OIDC_NAMES = (
    "OIDC_ISSUER",
    "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET",
    "OIDC_NAME",
    "OIDC_SCOPES",
    "OIDC_EMAIL_DOMAINS",
    "OIDC_GROUPS_CLAIM",
    "OIDC_ROLES",
    "OIDC_OFFICES",
)
SCOPES = ("openid", "profile", "email")


def openid_connect(*, debug: bool) -> dict[str, Any]:
    """Return how people sign in through an OpenID Connect provider; empty without one."""
    scheme = "https?" if debug else "https"
    address = "the issuer's address, such as https://login.example.com/realms/desk"
    found = {
        "issuer": matching("OIDC_ISSUER", rf"{scheme}://{HOST}({PORT})?(/[^\s?#]*)?", address).rstrip("/"),
        "client_id": matching(
            "OIDC_CLIENT_ID", r"[!-~]{1,191}", "the id that the provider gave this site, such as desk"
        ),
        "client_secret": token("OIDC_CLIENT_SECRET"),
        "name": matching("OIDC_NAME", r"[^\x00-\x1f]{1,40}", "up to 40 characters, such as Acme", default="SSO"),
        "scopes": listed("OIDC_SCOPES", r"\S+", "scopes, such as openid,profile,email,groups", default=SCOPES),
        "email_domains": listed("OIDC_EMAIL_DOMAINS", HOST, "domains separated by commas, such as example.com"),
        "groups_claim": matching("OIDC_GROUPS_CLAIM", r"[\w.:/-]{1,200}", "a claim, such as roles", default="groups"),
        "roles": pairs("OIDC_ROLES", "admin|agent", "groups and roles, such as desk-admins=admin,support=agent"),
        "offices": pairs("OIDC_OFFICES", r"\S.*", "groups and offices, such as billing-team=Billing"),
    }
    required = {name: found[name.removeprefix("OIDC_").lower()] for name in OIDC_NAMES[:3]}
    missing = [name for name, value in required.items() if not value]
    if 0 < len(missing) < len(required):
        name = next(name for name in required if name not in missing)
        raise ImproperlyConfigured(f"{name} is set without {' and '.join(missing)}; set it to nothing, or all three.")
    return {} if missing else found


def allauth_provider(oidc: dict[str, Any]) -> dict[str, Any]:
    """Return allauth's settings of the provider."""
    app = oidc and {
        "provider_id": "sso",
        "name": oidc["name"],
        "client_id": oidc["client_id"],
        "secret": oidc["client_secret"],
        "settings": {"server_url": oidc["issuer"], "verified_email": oidc["email_domains"], "scope": oidc["scopes"]},
    }
    return {"OAUTH_PKCE_ENABLED": True, "APPS": [app] if app else []}


def pairs(name: str, values: str, expected: str) -> list[tuple[str, str]]:
    """Return the parts of a list of `group=value`; the values match a regular expression."""
    found = listed(name, rf"[^=]*[^=\s][^=]*=\s*({values})", expected)
    return [(left.strip(), right.strip()) for left, _, right in (part.partition("=") for part in found)]


# -- URLs of servers, which may hold a password


def redacted(value: str) -> str:
    """Return a URL, or what was meant as one, without user, password and query string."""
    return re.sub(r"^(.*?//)?.*@", r"\1***@", value.partition("?")[0])


def _service_url(name: str, default: str, is_valid: Callable[[SplitResult], object], expected: str) -> str:
    value = text(name)
    return _checked_url(name, value, is_valid, expected) if value else default


def _checked_url(name: str, value: str, is_valid: Callable[[SplitResult], object], expected: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port  # reading the port validates it
        valid = is_valid(parts) and "://" in value and value.isprintable() and " " not in value
    except ValueError:
        valid = False
    if not valid:
        raise _refuse(name, redacted(value), expected)
    return value


def redis_urls(name: str) -> list[str]:
    """Return the URLs of Redis servers; none for an empty value."""

    def is_valid(parts: SplitResult) -> bool:
        if parts.scheme == "unix":
            return parts.path.startswith("/") and not parts.netloc.rpartition("@")[2]
        is_server = parts.scheme in ("redis", "rediss") and bool(parts.hostname)
        return is_server and re.fullmatch(r"(/\d{0,4})?", parts.path) is not None

    expected = (
        "a URL such as redis://localhost:6379/0 or unix:///run/redis/redis.sock, or several separated by commas"
    )
    return [_checked_url(name, part, is_valid, expected) for part in comma_separated(text(name))]


def sentinels(name: str, redis_urls: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of Redis Sentinels. The host of each Redis URL is then the name of a master."""
    expected = "hosts with ports, separated by commas, such as redis-a:26379,redis-b:26379,redis-c:26379"
    found = tuple(listed(name, HOST + PORT, expected))
    if found and not all(url.startswith(("redis://", "rediss://")) for url in redis_urls or [""]):
        raise ImproperlyConfigured(f"{name} needs the name of the master: set REDIS_URL, as in redis://desk/0.")
    return found


def database_url(name: str, *, default: str) -> dict[str, Any]:
    """Return Django's settings of an SQLite or PostgreSQL database."""

    def is_valid(parts: SplitResult) -> bool:
        if parts.scheme == "sqlite":
            return not parts.netloc and len(parts.path) > 1
        return parts.scheme in ("postgres", "postgresql") and len(parts.path) > 1

    expected = "a URL such as postgres://tikm@localhost/tikm or sqlite:////srv/tikm/tikm.sqlite3"
    found: dict[str, Any] = environ.Env.db_url_config(_service_url(name, default, is_valid, expected))
    return found


def email_url(name: str, *, default: str) -> dict[str, Any]:
    """Return Django's settings of outgoing mail, with our backends in place of Django's."""

    def is_valid(parts: SplitResult) -> bool:
        if parts.scheme in ("consolemail", "memorymail", "dummymail"):
            return True
        if parts.scheme == "filemail":
            return len(parts.path) > 1 and not parts.netloc
        return parts.scheme in ("smtp", "smtps", "smtp+tls", "smtp+ssl") and bool(parts.hostname)

    expected = "a URL such as smtp+tls://user:password@mail.example.com:587 or consolemail://"
    found: dict[str, Any] = environ.Env.email_url_config(_service_url(name, default, is_valid, expected))
    if found["EMAIL_FILE_PATH"]:
        found["EMAIL_FILE_PATH"] = f"/{found['EMAIL_FILE_PATH'].lstrip('/')}"  # environ takes it for a relative one
    return found | {"EMAIL_BACKEND": MAIL_BACKENDS.get(found["EMAIL_BACKEND"], found["EMAIL_BACKEND"])}


def redis_prefix(value: str, *, secret_key: str, redis_url: str, database: str) -> str:
    """Return `value`, or else a prefix that differs between installations and is the same in all their processes."""
    return value or installation.redis_prefix("tikm", secret_key=secret_key, redis_url=redis_url, database=database)


# -- Names


def refuse_unknown_names() -> None:
    """Stop at a name that nothing reads: one that begins like ours is a typing error, or is of the old system."""
    for name in os.environ:
        if name.startswith(("REVERB_", "VITE_REVERB_")):
            successor = VITE_SUCCESSOR if name.startswith("VITE_") else REVERB_NAMES.get(name, "no setting")
            raise ImproperlyConfigured(f"{name} is no longer read; its successor is {successor}. Remove it.")
        for known in (REALTIME_NAMES, ATTACHMENT_NAMES, OIDC_NAMES):
            if name.startswith(known[0].partition("_")[0] + "_") and name not in known:
                raise ImproperlyConfigured(f"{name} is not a setting; did you mean one of {', '.join(known)}?")
