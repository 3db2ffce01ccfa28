"""The app; its system checks are registered here."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConfluenceLinkConfig(AppConfig):
    name = "confluence_link"
    verbose_name = "Confluence links"

    def ready(self) -> None:
        # Importing them registers them; they need the models, so not before.
        import_module("confluence_link.checks")
        import_module("confluence_link.receivers")
        resealing = import_module("confluence_link.resealing")
        post_migrate.connect(
            resealing.note_new_keys, sender=self, dispatch_uid="confluence_link.keys"
        )
