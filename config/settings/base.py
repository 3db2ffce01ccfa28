"""What every environment shares. Values come from `config.env`, defaults are safe."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from kombu import Queue

from config.env import BASE_DIR, env

# SERVER
# ------------------------------------------------------------------------------
# The address people use. Redirect URIs and mails are built from it, never from
# a request.
PUBLIC_URL: str = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
# https://docs.djangoproject.com/en/5.2/ref/settings/#allowed-hosts
ALLOWED_HOSTS = [_public.hostname or "", *env.list("ALLOWED_HOSTS", default=[])]
# https://docs.djangoproject.com/en/5.2/ref/settings/#csrf-trusted-origins
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
# One line over every page, for instance to say that this is a test installation,
# and where it leads.
SITE_NOTICE = env.str("SITE_NOTICE", default="")
SITE_NOTICE_URL = env.str("SITE_NOTICE_URL", default="")

# APPS
# ------------------------------------------------------------------------------
# https://docs.djangoproject.com/en/5.2/ref/settings/#installed-apps
INSTALLED_APPS = [
    # Before Django's admin, whose sign-in and start page they replace.
    "accounts",
    "confluence_link",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # allauth.usersessions draws "2 hours ago" with it.
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "heroicons",
    # Listed, so that nothing of it is loaded from elsewhere.
    "ninja",
]

# https://docs.djangoproject.com/en/5.2/ref/settings/#middleware
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Outside everything that could answer a program with a page.
    "confluence_link.api.middleware.ApiMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Whatever a request asks the database is asked for somebody.
    "accounts.isolation.WallMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

# https://docs.djangoproject.com/en/5.2/ref/settings/#templates
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.frame",
            ],
        },
    },
]

# DATABASE
# ------------------------------------------------------------------------------
# https://docs.djangoproject.com/en/5.2/ref/settings/#databases
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db(
        "DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'db.sqlite3'}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # https://docs.djangoproject.com/en/5.2/ref/databases/#sqlite-notes
    # Writers queue up instead of failing; readers are never blocked.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    # A host that vanished says nothing; the system would wait for a quarter of an hour,
    # with the answers of a whole batch in memory. The URL may say otherwise.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        **DATABASES["default"].get("OPTIONS", {}),
    }
# A refresh commits its intent before it sends anything, so a transaction around
# every request would be wrong (design 6, I2).
DATABASES["default"]["ATOMIC_REQUESTS"] = False
# https://docs.djangoproject.com/en/5.2/ref/settings/#default-auto-field
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# CACHE AND SESSIONS
# ------------------------------------------------------------------------------
REDIS_URL: str = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
# https://docs.djangoproject.com/en/5.2/topics/cache/#redis
# Shared by all processes: allauth counts its rate limits in it.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "config.cache.SteadyCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "confluence_link",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},  # seconds
    }
}
# https://docs.djangoproject.com/en/5.2/ref/settings/#session-engine
# Never signed cookies: a state of a link must be usable once.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
# https://docs.djangoproject.com/en/5.2/ref/settings/#session-cookie-secure
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# PEOPLE
# ------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_REDIRECT_URL = "home"
LOGIN_URL = "account_login"
# https://docs.djangoproject.com/en/5.2/ref/settings/#authentication-backends
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# https://docs.djangoproject.com/en/5.2/topics/auth/passwords/#password-validation
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# https://docs.allauth.org/en/latest/account/configuration.html
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_FORMS = {
    "login": "accounts.forms.InvitedLoginForm",
    "signup": "accounts.forms.InvitedSignupForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
# Known or not, an address costs one mail, so that neither page nor time tells.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # seconds
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme
# How many proxies stand before us; decides whose address the rate limits count.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
# https://docs.allauth.org/en/latest/socialaccount/configuration.html
SOCIALACCOUNT_ADAPTER = "confluence_link.adapters.SocialAccountAdapter"
# Our vault holds the tokens; allauth's table stays empty, its column is plain text.
SOCIALACCOUNT_STORE_TOKENS = False
# An administrator of any Data Center server can assert any address.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_AUTO_SIGNUP = False
# allauth would put the tokens into the session while it asks; we ask before the
# person leaves for Atlassian.
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = False
# https://docs.allauth.org/en/latest/mfa/configuration.html
MFA_ADAPTER = "confluence_link.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Confluence Link"
MFA_FORMS = {
    "activate_totp": "accounts.forms.SealedActivateTOTPForm",
    "add_webauthn": "accounts.passkey_forms.SteadyAddForm",
    "authenticate_webauthn": "accounts.passkey_forms.SteadyAuthenticateForm",
    "login_webauthn": "accounts.passkey_forms.SteadyLoginForm",
    "reauthenticate_webauthn": "accounts.passkey_forms.SteadyReauthenticateForm",
}
# Passkeys over plain http are for the loopback address of a developer only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _public.scheme == "http"
# https://docs.allauth.org/en/latest/usersessions/configuration.html
USERSESSIONS_TRACK_ACTIVITY = True

# SECURITY
# ------------------------------------------------------------------------------
# https://docs.djangoproject.com/en/5.2/ref/settings/#x-frame-options
X_FRAME_OPTIONS = "DENY"
# A code or state in an address must not travel on to another site in a Referer.
# Not `no-referrer`: browsers would send `Origin: null` with our own forms then, and
# the CSRF check would refuse them all.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# https://docs.djangoproject.com/en/5.2/howto/error-reporting/
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.reports.NoVariables"
# Where Atlassian keeps images; an icon from elsewhere is not taken.
CONFLUENCE_ICON_DOMAINS = ("atlassian.com", "atlassian.net", "atl-paas.net")
# https://django-csp.readthedocs.io/en/latest/configuration.html
# The same for every page, the admin included: nothing inline, nothing foreign.
# `form-action` is set by the page that leads to an authorization server alone.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
        # Site icons, and what serves the Cloud API.
        "img-src": [
            "'self'",
            "data:",
            *(f"https://*.{domain}" for domain in CONFLUENCE_ICON_DOMAINS),
        ],
    }
}

# CONFLUENCE CLOUD
# ------------------------------------------------------------------------------
# https://developer.atlassian.com/cloud/confluence/oauth-2-3lo-apps/
CONFLUENCE_CLOUD_CLIENT_ID = env.str("CONFLUENCE_CLOUD_CLIENT_ID", default="")
CONFLUENCE_CLOUD_CLIENT_SECRET = env.str("CONFLUENCE_CLOUD_CLIENT_SECRET", default="")
CONFLUENCE_CLOUD_SCOPES: list[str] = env.str(
    "CONFLUENCE_CLOUD_SCOPES",
    default=(
        "offline_access read:me read:confluence-user search:confluence"
        " read:space:confluence read:page:confluence write:page:confluence"
    ),
).split()
CONFLUENCE_CLOUD_AUTHORIZE_URL = env.str(
    "CONFLUENCE_CLOUD_AUTHORIZE_URL", default="https://auth.atlassian.com/authorize"
)
CONFLUENCE_CLOUD_TOKEN_URL = env.str(
    "CONFLUENCE_CLOUD_TOKEN_URL", default="https://auth.atlassian.com/oauth/token"
)
CONFLUENCE_CLOUD_API_URL = env.str(
    "CONFLUENCE_CLOUD_API_URL", default="https://api.atlassian.com"
).rstrip("/")

_api = urlsplit(CONFLUENCE_CLOUD_API_URL)
CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"].append(
    f"{_api.scheme}://{_api.netloc}"
)

# VAULT, NETWORK AND REFRESHING
# ------------------------------------------------------------------------------
# `id:base64` of 32 bytes each, separated by commas; the first seals, all open.
CONFLUENCE_LINK_VAULT_KEYS: list[str] = env.list(
    "CONFLUENCE_LINK_VAULT_KEYS", default=[]
)
# Hosts (`wiki.corp`, `wiki.corp:8090`) and networks (`10.1.0.0/16`) that may be
# private and may use any port, or the one named.
CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS: list[str] = env.list(
    "CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS", default=[]
)
CONFLUENCE_LINK_ALLOW_HTTP = env.bool("CONFLUENCE_LINK_ALLOW_HTTP", default=False)
CONFLUENCE_LINK_SWEEP_SECONDS = env.int("CONFLUENCE_LINK_SWEEP_SECONDS", default=30)
CONFLUENCE_LINK_MIN_REFRESH_SECONDS = env.int(
    "CONFLUENCE_LINK_MIN_REFRESH_SECONDS", default=60
)
# At most so many exchanges a second with Cloud, over all workers.
CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND = env.int(
    "CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND", default=300
)
# Off only behind a pooler that pools transactions and does not know them.
CONFLUENCE_LINK_PREPARED_STATEMENTS = env.bool(
    "CONFLUENCE_LINK_PREPARED_STATEMENTS", default=True
)
# What nobody used for a week is refreshed weekly, and when it is asked for.
CONFLUENCE_LINK_IDLE_POLICY = env.bool("CONFLUENCE_LINK_IDLE_POLICY", default=True)
# Where a process that must stop while the database is away leaves sealed answers.
CONFLUENCE_LINK_SPOOL_DIR = Path(
    env.str("CONFLUENCE_LINK_SPOOL_DIR", default=str(BASE_DIR / "var" / "spool"))
)
# Never set but by the tests of faults, whose settings module takes it away again.
CONFLUENCE_LINK_FAILPOINTS = env.str("CONFLUENCE_LINK_FAILPOINTS", default="")

# CELERY
# ------------------------------------------------------------------------------
# https://docs.celeryq.dev/en/stable/userguide/configuration.html
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_SERIALIZER = CELERY_EVENT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# The row is the queue: nothing waits for a task's result, and no task retries.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# A worker takes from all of them in turn, unless it is told otherwise.
CELERY_TASK_QUEUES = [
    Queue(name, routing_key=name) for name in ("celery", "cloud", "servers")
]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Tasks; until then the connection's age decides (`config.celery_app`).
CELERY_DB_REUSE_MAX = 1_000
# A batch begins nothing new after 120 s and insists on storing for 180 s at most.
CELERY_TASK_TIME_LIMIT = 600  # seconds
# An exchange begins no later than 30 s after its lease, and ends within 30; then the
# answers are stored.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 80  # seconds
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A worker that was killed gives its message back after this many seconds.
    "visibility_timeout": 660,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "global_keyprefix": "confluence_link:",
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:SteadyScheduler"
# None of these messages expires, nor does a batch: whether it did would be for the
# worker's clock to say. Beat sends none while enough of them wait.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {
        "task": "confluence_link.tasks.sweep",
        "schedule": timedelta(seconds=CONFLUENCE_LINK_SWEEP_SECONDS),
    },
    "purge": {
        "task": "confluence_link.tasks.purge",
        "schedule": timedelta(seconds=60),
    },
    "send-notices": {
        "task": "confluence_link.tasks.send_notices",
        "schedule": timedelta(seconds=15),
    },
    "remind-of-ends": {
        "task": "confluence_link.tasks.remind_of_ends",
        "schedule": crontab(minute="23"),
    },
    "report-accounts": {
        "task": "confluence_link.tasks.report_accounts",
        # Mostly there is nothing to do. Atlassian asks to avoid the top of the hour.
        "schedule": crontab(minute="37"),
    },
}

# MAIL
# ------------------------------------------------------------------------------
# https://docs.djangoproject.com/en/5.2/topics/email/
_mail = env.email_url("EMAIL_URL", default="smtp://localhost:25")
if _mail["EMAIL_FILE_PATH"]:
    # `filemail:///var/mails` starts at the root, as files do in every other URL.
    _mail["EMAIL_FILE_PATH"] = "/" + _mail["EMAIL_FILE_PATH"].lstrip("/")
vars().update(_mail)
EMAIL_TIMEOUT = 5  # seconds
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default="Confluence Link <noreply@localhost>"
)

# LANGUAGE, TIME, STATIC FILES
# ------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# https://whitenoise.readthedocs.io/en/stable/django.html
WHITENOISE_USE_FINDERS = True

# LOGGING
# ------------------------------------------------------------------------------
# https://docs.djangoproject.com/en/5.2/topics/logging/
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
# Celery tells of every message that came and went, which is every few seconds; what
# a sweep found, the tasks say themselves.
_CHATTY = {"level": "DEBUG" if LOG_LEVEL == "DEBUG" else "WARNING"}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secrets": {"()": "config.logs.HideCallbackQuery"}},
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "celery.beat": _CHATTY,
        "celery.app.trace": _CHATTY,
        "celery.worker.strategy": _CHATTY,
        "django.server": {
            "handlers": ["console"],
            "level": "INFO",
            "propagate": False,
        },
    },
}
