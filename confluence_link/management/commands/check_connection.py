"""Probes a Data Center base URL from this machine, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from confluence_link import atlassian
from confluence_link.atlassian.probe import probe
from confluence_link.errors import VaultError
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Checks whether this service can link through a Data Center base URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "base_url",
            help="as in the browser, with the context path,"
            " for instance https://wiki.example.com/confluence",
        )
        parser.add_argument(
            "--ca-bundle",
            type=Path,
            help="a PEM file that the server's certificate is checked with",
        )
        parser.add_argument(
            "--provider-id",
            help="the OAuth app whose settings are used, where several have the"
            " base URL",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        base_url = options["base_url"]
        app = self._app(base_url, options["provider_id"], options["ca_bundle"])
        try:
            policy = atlassian.deployment_for(app).network_policy
        except VaultError:
            raise CommandError(
                "The client certificate or the proxy's password does not open: see"
                " CONFLUENCE_LINK_VAULT_KEYS, or enter it again."
            ) from None
        cure = ""
        for step in probe(base_url, policy):
            mark = "not right" if step.cure else "ok"
            self.stdout.write(f"{step.name}: {step.found} ({mark})")
            cure = " ".join(filter(None, (step.cure, step.hint)))
        if cure:
            raise CommandError(cure)
        self.stdout.write("People can link through this server.")

    def _app(
        self, base_url: str, provider_id: str | None, ca_file: Path | None
    ) -> OAuthApp:
        """The app that has this base URL, for its settings; else one like it.

        Each organization may have an app, and settings, of its own.
        """
        known = OAuthApp.objects.filter(base_url=base_url.rstrip("/"))
        if provider_id is not None:
            known = known.filter(provider_id=provider_id)
        apps = list(known[:2])
        if provider_id is not None and not apps:
            raise CommandError("No OAuth app has this provider id and base URL.")
        if len(apps) > 1:
            raise CommandError("Several apps have this base URL: add --provider-id.")
        blank = OAuthApp(deployment=OAuthApp.Deployment.DATA_CENTER, base_url=base_url)
        app = apps[0] if apps else blank
        if ca_file is not None:
            try:
                app.ca_bundle = ca_file.read_text()
            except (OSError, UnicodeDecodeError):
                raise CommandError("The CA bundle cannot be read.") from None
        return app
