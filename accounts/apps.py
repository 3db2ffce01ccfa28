"""The accounts app."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and organizations"

    def ready(self) -> None:
        # Importing them connects their receivers, and registers checks.
        import_module("accounts.recent_sign_in")
        import_module("accounts.invitations")
        import_module("accounts.sessions")
        import_module("accounts.checks")
        isolation = import_module("accounts.isolation")
        # Of the product's app, which comes after this one: its tables are there too.
        post_migrate.connect(isolation.make_role, dispatch_uid="accounts.isolation")
