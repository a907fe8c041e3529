"""Settings. What varies between installations comes from the environment or a .env file."""

from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from corsheaders.defaults import default_headers
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from realtime.conf import APP_KEY
from realtime.utils import redis_client
from tikm import environment

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
NODE_MODULES = BASE_DIR / "node_modules"

environ.Env.read_env(BASE_DIR / ".env")
environment.refuse_unknown_names()

# --- Installation

DEBUG = environment.boolean("DEBUG", default=False)
SECRET_KEY = environment.secret("SECRET_KEY", debug=DEBUG)
ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")
REDIS_URLS = environment.redis_urls("REDIS_URL")
REDIS_URL = REDIS_URLS[0] if REDIS_URLS else ""
REDIS_SENTINELS = environment.sentinels("REDIS_SENTINELS", REDIS_URLS)
SITE_URL = environment.site_url()
OIDC = environment.openid_connect(debug=DEBUG)

# Scripts of these origins may call the API and the live endpoints; they need no other header than these.
CORS_URLS_REGEX = r"^/(api|broadcasting)/"
CORS_ALLOWED_ORIGINS = [origin for origin in CSRF_TRUSTED_ORIGINS if "*" not in origin]
CORS_ALLOWED_ORIGIN_REGEXES = environment.origin_patterns(CSRF_TRUSTED_ORIGINS)
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-match", "x-csrf-token", "x-socket-id"]
CORS_EXPOSE_HEADERS = ["etag", "idempotency-replayed", "location", "retry-after", "x-request-id"]

# --- Applications

INSTALLED_APPS = [
    "tikm.development_server.DevelopmentServerConfig",  # before staticfiles, whose `runserver` it replaces
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "tikm.admin_site.ProjectAdminConfig",
    "channels",
    "corsheaders",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    # Loads libraries that only it needs.
    *(["allauth.socialaccount.providers.openid_connect"] if OIDC else []),
    "allauth.usersessions",
    "knox",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "jobs",  # before realtime, whose `serve` it extends
    "realtime",
    "accounts",
    "tickets",
    "mail",
    "audit",
]

MIDDLEWARE = [
    "audit.requests.set_request_id",
    "tikm.http.metrics.serve_metrics",
    "realtime.utils.client_address.proxy_headers_middleware",
    "tikm.http.health.answer_probes",
    "tikm.http.security_headers.set_security_headers",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "realtime.serve.streaming.stream_files",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tikm.http.content_security.ContentSecurityMiddleware",
    "accounts.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "tikm.http.throttles.limit_by_address",
    "django.middleware.common.CommonMiddleware",
    "realtime.http.middleware.accept_echo_csrf_header",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "realtime.http.middleware.PageCursorMiddleware",
    "accounts.middleware.PersonalMiddleware",
    "accounts.sign_in.required_second_step.SecondStepMiddleware",
    "accounts.throttles.ThrottledMiddleware",
    "accounts.conflicts.ConflictMiddleware",
]

ROOT_URLCONF = "tikm.urls"
ASGI_APPLICATION = "tikm.asgi.application"
WSGI_APPLICATION = "tikm.wsgi.application"

FORM_RENDERER = "tikm.forms.FormRenderer"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"assets": "tikm.assets"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "tikm.context.page",
            ],
        },
    }
]

# --- Data

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": environment.database_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'tikm.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Take the write lock at BEGIN: select_for_update is a no-op on SQLite, and read-then-write would fail.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 16, "timeout": 10}
    DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 10)  # seconds
    # Otherwise each pooled connection fails one request after a restart of the database.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Keys and channels in Redis: of this installation alone, whatever others share the server.
REDIS_PREFIX = environment.redis_prefix(
    environment.matching(
        "REDIS_PREFIX",
        r"[A-Za-z0-9_.-]{1,40}",
        "1 to 40 letters, digits, dots, hyphens or underscores, such as desk-a",
    ),
    secret_key=SECRET_KEY,
    redis_url=REDIS_URL,
    database=str(DATABASES["default"]["NAME"]),
)

CACHES = {
    "default": {"BACKEND": "tikm.caches.FallbackRedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": REDIS_PREFIX}
    if REDIS_URL
    # A shared cache also without Redis: allauth counts sign-in attempts in it.
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "tikm_cache"}
}

# --- Background jobs

JOBS_BROKER = environment.choice("JOBS_BROKER", ["orm", "redis"], default="orm")
if JOBS_BROKER == "redis" and not REDIS_URL:
    raise ImproperlyConfigured("JOBS_BROKER is 'redis'; set REDIS_URL too, or JOBS_BROKER to orm.")
Q_CLUSTER = {
    "name": REDIS_PREFIX,
    "broker_class": "jobs.broker.RedisBroker" if JOBS_BROKER == "redis" else "jobs.broker.DatabaseBroker",
    "timeout": 60,
    "retry": 90,
    "save_limit": -1,
    "scheduler": False,
}
# Commands that a worker runs once a day, each at its own time.
JOBS_DAILY = [
    "clearsessions",
    "prune_attachments",
    "prune_audit_log",
    "prune_broadcasts",
    "prune_drafts",
    "prune_idempotency_keys",
    "prune_jobs",
    "prune_notifications",
    "prune_received_mail",
    "prune_sign_ups",
    "settle_closed_tickets",
]

# Commands that the worker runs beside its jobs, while the function says that they are needed.
JOBS_COMPANIONS = {"poll_mailboxes": "mail.inbound.imap.is_needed"}

# --- Users and sign-in

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_FORMS = {
    "reset_password": "accounts.sign_in.forms.ResetPasswordForm",
    "signup": "accounts.sign_in.forms.SignupForm",
}
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.NameForm"
# In production a sign-up must not reveal which addresses are registered.
ACCOUNT_EMAIL_VERIFICATION = "optional" if DEBUG else "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # to add, remove or prefer an address
PASSWORD_RESET_TIMEOUT = 3600  # seconds
ACCOUNT_ADAPTER = "accounts.sign_in.adapters.AccountAdapter"
MFA_TOTP_ISSUER = "TIKM"
# Steps of 30 seconds on each side of the present one: typing takes time, and clocks differ (RFC 6238, section 5.2).
MFA_TOTP_TOLERANCE = 1
MFA_ADAPTER = "accounts.sign_in.second_steps.SecondStepAdapter"
MFA_FORMS = {
    "activate_totp": "accounts.sign_in.second_steps.ActivateTOTPForm",
    "authenticate": "accounts.sign_in.second_steps.AuthenticateForm",
    "reauthenticate": "accounts.sign_in.second_steps.ReauthenticateForm",
}
ACCOUNT_LOGOUT_REDIRECT_URL = reverse_lazy("account_login")
ACCOUNT_SESSION_REMEMBER = True
CSRF_FAILURE_VIEW = "accounts.views.csrf.csrf_failure"
STAFF_TWO_FACTOR_REQUIRED = environment.boolean("STAFF_TWO_FACTOR_REQUIRED", default=False)
STAFF_IDLE_MINUTES = environment.integer(
    # Long enough for sessions whose last activity is recorded every five minutes.
    "STAFF_IDLE_MINUTES",
    default=0,
    low=10,
    high=20160,
    example=60,
    zero="for no limit",
)

# --- Sign-in through an OpenID Connect provider, beside passwords

SOCIALACCOUNT_ADAPTER = "accounts.sign_in.openid_connect.ProviderAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {"openid_connect": environment.allauth_provider(OIDC)}

# --- Mail, which jobs send

EMAIL_CONFIG = environment.email_url(
    "EMAIL_URL", default=f"filemail://{VAR_DIR}/mail" if DEBUG else "smtp://localhost:25"
)
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # seconds that the mail server may be silent
DEFAULT_FROM_EMAIL = SERVER_EMAIL = environment.sender("DEFAULT_FROM_EMAIL", debug=DEBUG)
# Answers to mails come here, with a part of their own: reply+...@desk.example.com. Empty: answers are not received.
MAIL_REPLY_ADDRESS = environment.matching(
    "MAIL_REPLY_ADDRESS",
    r"[A-Za-z0-9._-]{1,25}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*",
    "an address without a plus sign, such as reply@desk.example.com",
    default="reply@localhost" if DEBUG else "",
)

# Files up to this size go with a mail to a customer, all of them together; larger ones are links.
MAIL_ATTACHMENT_BYTES = environment.integer(
    "MAIL_ATTACHMENT_BYTES", default=5 * 1024**2, low=1024, high=1024**3, example=5 * 1024**2, zero="for links only"
)

# Received messages: the original text is kept for so long, and larger ones are refused.
MAIL_RETENTION_DAYS = environment.integer(
    "MAIL_RETENTION_DAYS", default=90, low=1, high=36500, example=90, zero="to keep originals"
)
MAIL_MAX_BYTES = environment.integer(
    "MAIL_MAX_BYTES", default=50 * 1024**2, low=1024, high=1024**3, example=50 * 1024**2
)

# Received messages that providers post, which django-anymail (an extra) checks.
ANYMAIL = environment.anymail("MAIL_WEBHOOK_SECRET", mailgun="MAILGUN_SIGNING_KEY")

REST_KNOX = {"TOKEN_MODEL": "accounts.ApiToken", "AUTH_HEADER_PREFIX": "Bearer"}
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105
MIGRATION_MODULES = {"knox": None, "django_q": None}  # ApiToken and Job replace their tables

# --- The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["tikm.http.throttles.TokenThrottle", "tikm.http.throttles.UserThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.parsers.BoundedJSON"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api.authentication.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "tikm.api.openapi.ClosedBodySchema",
    "EXCEPTION_HANDLER": "tikm.api.problem_details.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}

# --- Rate limits, shared by all processes. Those of live updates are in realtime/limits.py

API_RATES = {"address": "1200/minute", "user": "600/minute", "token": "300/minute"}
# Per user and action, for pages and API together.
ACTION_RATES = {
    "ticket": "30/minute",
    "reply": "60/minute",
    "upload": "120/minute",
    "upload bytes": f"{2 * 1024**3}/hour",
    "download": "600/minute",
    "draft": "120/minute",  # saved while a message is written
    "read": "600/minute",  # pages of conversations
    "search": "120/minute",
    "mail": "60/hour",  # per sender
    "export": "5/hour",  # of the user's own data
}
# Before sign-in, for pages and API: per address (ip), account or email (key), and user.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",  # an office may share one address
    "login_failed": "20/m/ip,5/5m/key",  # key: account and device, see accounts/sign_in/failed_attempts.py
    "login_failed_account": "100/h/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/3m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "oidc_logout": "120/m/ip",
}

# --- OpenAPI document

SPECTACULAR_SETTINGS = {
    "TITLE": "TIKM",
    "VERSION": "1",
    "DESCRIPTION": "REST API of the help desk.",
    "LICENSE": {"name": "MIT"},
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "PREPROCESSING_HOOKS": ["tikm.api.openapi.only_api_v1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tikm.api.openapi.add_problems",
        "tikm.api.openapi.require_bodies",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": ["admin", "agent", "customer"],
        "Audience": "realtime.channels.Audience",
        "ActorRole": "tickets.payloads.ACTOR_ROLES",
        "Scope": "accounts.models.ApiToken.Scope",
        "Action": "tickets.models.TimelineEntry.Action",
        "ReceiptState": ["saved", "failed", "bounced", "mailed", "delivered", "seen"],
        "TagColor": "tickets.models.TagColor",
        "InvitationState": "accounts.models.Invitation.State",
    },
    "TAGS": [
        {"name": "Tickets", "description": "List, create, read and update tickets."},
        {"name": "Tags", "description": "Words that staff sort tickets by; customers never see one."},
        {"name": "Conversation", "description": "Replies, internal notes and the activity timeline."},
        {"name": "Files", "description": "Upload files first, then attach them to a ticket or a reply."},
        {"name": "People", "description": "The authenticated user."},
        {"name": "Customers", "description": "What staff see of a customer, and notes about them."},
        {"name": "Organizations", "description": "Groups of customers, for admins."},
        {"name": "Look-ups", "description": "Statuses, priorities, offices and assignees."},
        {"name": "Tokens", "description": "Personal API tokens."},
    ],
}

# --- Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "tikm.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files and uploads

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/bootstrap", NODE_MODULES / "bootstrap/dist/css"),
    ("vendor/laravel-echo", NODE_MODULES / "laravel-echo/dist"),
    ("vendor/pusher-js", NODE_MODULES / "pusher-js/dist/web"),
]
ATTACHMENT_MAX_BYTES = environment.integer(
    "ATTACHMENT_MAX_BYTES", default=10 * 1024**2, low=1, high=1024**4, example=10485760
)
ATTACHMENT_MAX_FILES = environment.integer("ATTACHMENT_MAX_FILES", default=5, low=1, high=1000, example=5)
# How long authors can edit what they have sent.
REPLY_EDIT_MINUTES = environment.integer(
    "REPLY_EDIT_MINUTES", default=15, low=1, high=1440, example=15, zero="to turn editing off"
)
# All files of one customer.
ATTACHMENT_QUOTA_BYTES = environment.integer(
    "ATTACHMENT_QUOTA_BYTES", default=2 * 1024**3, low=1, high=1024**5, example=2 * 1024**3, zero="for no limit"
)
# Types by content; an empty list allows every type in tickets/files/types.py.
ATTACHMENT_TYPES = environment.listed(
    "ATTACHMENT_TYPES", r"[a-z]+/[a-z0-9.+-]+", "types separated by commas, such as application/pdf,image/png"
)
# A command that gets each upload as its input, before it is stored: 0 for clean, 1 for malware.
ATTACHMENT_SCANNER = environment.command("ATTACHMENT_SCANNER")
ATTACHMENT_SCANNER_FAIL_OPEN = environment.boolean("ATTACHMENT_SCANNER_FAIL_OPEN", default=False)
# Removes the location from pictures and videos when they are uploaded.
ATTACHMENT_REMOVE_LOCATION = environment.boolean("ATTACHMENT_REMOVE_LOCATION", default=True)
# nginx sends files from this internal location (X-Accel-Redirect); a worker sends them where it is empty.
ATTACHMENT_ACCEL_LOCATION = environment.matching(
    "ATTACHMENT_ACCEL_LOCATION", r"/[A-Za-z0-9_-]+/", "a path between slashes, such as /tikm-files/"
)
FILE_UPLOAD_HANDLERS = [
    "tikm.http.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
ICONS_DIR = NODE_MODULES / "lucide-static/icons"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "attachments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": environment.folder("FILES_DIR", default=VAR_DIR / "files"), "base_url": None},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# --- Security

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# The first middleware removes the header unless a trusted proxy sent it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
if not DEBUG:
    # Browsers accept these names only over HTTPS, for this host and all paths: no other subdomain can set them.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# Sent over HTTPS only.
SECURE_HSTS_SECONDS = environment.integer(
    "HSTS_SECONDS", default=0 if DEBUG else 31536000, low=1, high=63072000, example=31536000, zero="for no header"
)
SECURITY_CONTACT = environment.matching(
    "SECURITY_CONTACT", r"(mailto:[^\s@]+@|https://)[^\s@]+", "an address such as mailto:security@example.com"
)

# --- Live updates

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [redis_client.layer_host(url, REDIS_SENTINELS) for url in REDIS_URLS],
            "prefix": REDIS_PREFIX,
        },
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 100_000}}
}
REALTIME = {
    "CHANNELS": "tikm.channels",
    "DOCTOR": "tikm.doctor",
    "CONNECTION": environment.choice("BROADCAST_CONNECTION", ["channels", "log", "null"], default="channels"),
    "APP_ID": environment.matching("REALTIME_APP_ID", r"[0-9]{1,18}", "a number, such as 1", default="1"),
    "APP_KEY": environment.matching(
        "REALTIME_APP_KEY", APP_KEY, "up to 100 letters, digits, - and _, such as tikm", default="tikm"
    ),
    "APP_SECRETS": environment.secrets("REALTIME_APP_SECRET", debug=DEBUG),
    "HOST": environment.matching(
        "REALTIME_HOST", environment.HOST, "a host name without scheme and port, such as ws.example.com"
    ),
    "PORT": environment.integer(
        "REALTIME_PORT", default=0, low=1, high=65535, example=8443, zero="for the page's own"
    ),
    "SCHEME": environment.choice("REALTIME_SCHEME", ["http", "https"], default=""),
    "DEBUG": environment.boolean("REALTIME_DEBUG", default=DEBUG),
    "REDIS_URL": REDIS_URL,
    "REDIS_SHARDS": tuple(REDIS_URLS[1:]),
    "REDIS_SENTINELS": REDIS_SENTINELS,
    "REDIS_PREFIX": REDIS_PREFIX,
    "BEARER": "accounts.sign_in.tokens.bearer",
    "TRUSTED_PROXIES": environment.proxies("TRUSTED_PROXIES"),
    "MAX_MEMBERS_PER_CHANNEL": 1000,
    "MAX_UPLOAD": ATTACHMENT_MAX_FILES * ATTACHMENT_MAX_BYTES + 10 * 1024**2,
    "RESERVED_EVENTS": ("ticket.",),
    "WEBHOOKS": environment.webhooks("REALTIME_WEBHOOKS"),
    "WEBHOOK_NETWORKS": environment.networks("REALTIME_WEBHOOK_NETWORKS"),
    "WEBHOOK_QUEUE": "jobs.webhooks.schedule",
}

# --- Monitoring

METRICS_TOKEN = environment.token("METRICS_TOKEN")

# --- Logging

AUDIT_RETENTION_DAYS = environment.integer(
    "AUDIT_RETENTION_DAYS", default=730, low=1, high=36500, example=730, zero="to keep all entries"
)
LOG_FORMAT = environment.choice("LOG_FORMAT", ["text", "json"], default="text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "tikm.logs.JsonFormatter"},
    },
    "filters": {"one_line": {"()": "tikm.logs.OneLine"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        "one_line": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["one_line"]},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "realtime": {"level": "INFO"},
        "django-q": {"handlers": ["console"], "level": "ERROR", "propagate": False},  # `jobs` logs what happens
        "django": {"handlers": ["console"], "level": "INFO" if DEBUG else "WARNING", "propagate": False},
        "django.security.DisallowedHost": {"handlers": ["one_line"], "propagate": False},
    },
}
