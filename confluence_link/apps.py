"""The app; its system checks are registered here."""

from __future__ import annotations

from django.apps import AppConfig


class ConfluenceLinkConfig(AppConfig):
    name = "confluence_link"
    verbose_name = "Confluence links"
