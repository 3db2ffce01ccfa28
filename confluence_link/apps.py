"""The app; its system checks are registered here."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ConfluenceLinkConfig(AppConfig):
    name = "confluence_link"
    verbose_name = "Confluence links"

    def ready(self) -> None:
        # Importing them registers them; they need the models, so not before.
        import_module("confluence_link.checks")
        import_module("confluence_link.receivers")
