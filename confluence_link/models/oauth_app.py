"""OAuthApp: our OAuth client at one authorization server; and its breaker."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Organization

# A slug of allauth's URL, part of every callback address registered with a server.
_PROVIDER_ID = RegexValidator(
    r"\A[a-z0-9][a-z0-9-]{0,39}\Z", "Lower-case letters, digits and hyphens only."
)

# Whoever issues certificates has to be asked, and may be on leave.
CERTIFICATE_ENDS_SOON: Final = timedelta(days=30)


class OAuthAppQuerySet(models.QuerySet["OAuthApp"]):
    def for_organization(self, organization: Organization) -> OAuthAppQuerySet:
        """The usable apps that people of this organization may link through."""
        own_or_everyones = Q(organization=None) | Q(organization=organization)
        return self._usable().filter(own_or_everyones)

    def owned_by(self, organization: Organization) -> OAuthAppQuerySet:
        """The organization's own servers, usable or not."""
        return self.filter(
            organization=organization, deployment=OAuthApp.Deployment.DATA_CENTER
        )

    def of_everyone(self) -> OAuthAppQuerySet:
        """The usable apps that the operator keeps for all organizations."""
        return self._usable().filter(organization=None)

    def _usable(self) -> OAuthAppQuerySet:
        return self.filter(enabled=True).exclude(client_id="")

    def with_ending_certificate(self, now: datetime) -> OAuthAppQuerySet:
        """Those in use whose client certificate ends soon or has ended; first first."""
        return self.filter(
            client_certificate_expires_at__lte=now + CERTIFICATE_ENDS_SOON,
            enabled=True,
        ).order_by("client_certificate_expires_at", "pk")


class OAuthApp(models.Model):
    """Cloud's 3LO app, or the incoming link of one Data Center server."""

    class Deployment(models.TextChoices):
        CLOUD = "cloud", "Confluence Cloud"
        DATA_CENTER = "data_center", "Confluence Data Center"

    provider_id = models.CharField(
        "provider id",
        max_length=40,
        unique=True,
        validators=[_PROVIDER_ID],
        help_text="Part of the redirect URI; it cannot be changed later.",
    )
    deployment = models.CharField(max_length=12, choices=Deployment)
    name = models.CharField(max_length=100, help_text="What people see on the button.")
    base_url = models.CharField(
        "base URL",
        max_length=500,
        blank=True,
        help_text="Data Center only: as in the browser, with the context path,"
        " for instance https://wiki.example.com/confluence",
    )
    # Empty while the server's administrator has not entered it yet.
    client_id = models.CharField("client ID", max_length=255, blank=True)
    sealed_client_secret = models.BinaryField(default=b"", editable=False)
    # The secret to come, while the server knows two of them.
    sealed_next_client_secret = models.BinaryField(default=b"", editable=False)
    scopes = models.JSONField(default=list, help_text="The scopes that are asked for.")
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text="Empty: everyone may link through it.",
    )
    ca_bundle = models.TextField(
        "CA bundle",
        blank=True,
        help_text="PEM certificates that this server's certificate is checked with,"
        " instead of the public ones. Checking is never switched off.",
    )
    # PEM: certificate, chain and key, sealed as one text.
    sealed_client_certificate = models.BinaryField(default=b"", editable=False)
    client_certificate_expires_at = models.DateTimeField(
        null=True, blank=True, editable=False
    )
    proxy_url = models.CharField(
        "proxy",
        max_length=300,
        blank=True,
        help_text="An HTTP proxy that leads to the server, for instance"
        " http://proxy.example.com:3128. Empty: none.",
    )
    # `user:password` for the proxy.
    sealed_proxy_credentials = models.BinaryField(default=b"", editable=False)
    allowed_private_hosts = models.JSONField(
        "allowed private hosts",
        default=list,
        blank=True,
        help_text="Given by the operator only: hosts and networks that this server"
        " (or its proxy) may have although they are not public, as in"
        " CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS.",
    )
    # What the last probe saw; `probe_steps` are its steps as dictionaries.
    probed_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_steps = models.JSONField(default=list, editable=False)
    server_version = models.CharField(max_length=40, blank=True, editable=False)
    server_id = models.CharField(
        "server id", max_length=100, blank=True, editable=False
    )
    # When the stored account ids were last reported, and Atlassian's cycle for it.
    reporting_cycle_seconds = models.PositiveIntegerField(
        default=7 * 24 * 3600, editable=False
    )
    reporting_refused_at = models.DateTimeField(null=True, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    # Kept true to the environment by `sync_cloud_app`.
    from_settings = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OAuthAppQuerySet.as_manager()

    class Meta:
        verbose_name = "OAuth app"
        ordering = ("deployment", "name")
        constraints = (
            models.CheckConstraint(
                name="base_url_for_data_center_only",
                condition=Q(deployment="cloud", base_url="")
                | (Q(deployment="data_center") & ~Q(base_url="")),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def has_trouble(self) -> bool:
        """Its breaker opened and nothing succeeded since; we keep probing."""
        health = getattr(self, "health", None)
        return health is not None and health.openings > 0

    @property
    def redirect_uri(self) -> str:
        """What must be registered at the other side, to the letter."""
        path = reverse("confluence_callback", args=[self.provider_id])
        return f"{settings.PUBLIC_URL}{path}"


class OAuthAppHealth(models.Model):
    """The breaker of one app. No row means healthy."""

    oauth_app = models.OneToOneField(
        OAuthApp, on_delete=models.CASCADE, related_name="health"
    )
    consecutive_failures = models.PositiveIntegerField(default=0)
    # Nothing is sent before this; afterwards one probe, until it succeeds.
    paused_until = models.DateTimeField(null=True, blank=True)
    # How often it opened in a row; the pause doubles with each.
    openings = models.PositiveIntegerField(default=0)
    # A probe is on its way; no other before.
    probing_until = models.DateTimeField(null=True, blank=True)
    # When it closed again: from then on the pace grows (`refresh.pace`).
    recovered_at = models.DateTimeField(null=True, blank=True)
    # All time before is reserved for exchanges.
    paced_until = models.DateTimeField(null=True, blank=True)
    configuration_refused_since = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=40, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "OAuth app health"

    def __str__(self) -> str:
        return f"health of {self.oauth_app_id}"

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until
