"""Django's settings, which are one process's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = "simulators.model_fallback.chat"


def configured(order: Mapping[str, Any], database: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings for a process's order. database: the parts of its connection string."""
    return {
        "SECRET_KEY": order["secret"],
        "DEBUG": False,
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost"],
        "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", PACKAGE],
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        "ROOT_URLCONF": f"{PACKAGE}.urls",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                    ]
                },
            }
        ],
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": database["dbname"],
                "USER": database["user"],
                "HOST": database["host"],
                "PORT": database.get("port", ""),
            }
        },
        # The strength of a stored password is no part of what is simulated, and the usual hash takes half a second.
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "LOGIN_URL": "/accounts/login/",
        "LOGIN_REDIRECT_URL": "/",
        "LOGOUT_REDIRECT_URL": "/accounts/login/",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "LOGGING": logging_to(order["log"]),
    }


def logging_to(path: str) -> dict[str, Any]:
    """Return the logging configuration: everything goes into one file."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"verbose": {"format": "{levelname} {asctime} {module} {message}", "style": "{"}},
        "handlers": {"file": {"class": "logging.FileHandler", "filename": path, "formatter": "verbose"}},
        "root": {"handlers": ["file"], "level": "INFO"},
        "loggers": {"chat": {"level": "DEBUG"}, "django": {"level": "INFO", "handlers": [], "propagate": True}},
    }
