"""VacantSite: a site of an organization whose linker left; it waits for an adopter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from accounts.scoping import ScopedQuerySet

if TYPE_CHECKING:
    from accounts.models import Organization


class VacantSiteQuerySet(ScopedQuerySet["VacantSite"]):
    def for_organization(self, organization: Organization | int) -> VacantSiteQuerySet:
        rows = super().for_organization(organization)
        return rows.select_related("oauth_app", "adopter", "former")


class VacantSite(models.Model):
    """What stays of a linked site without its grant: its id and its settings.

    Whoever links the same site for the organization next takes it over, and the new
    linked site has the public id and the settings of this row.
    """

    public_id = models.CharField(max_length=20, unique=True, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="vacant_sites"
    )
    oauth_app = models.ForeignKey(
        "confluence_link.OAuthApp",
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name="OAuth app",
    )
    site_id = models.CharField("site id", max_length=500)
    name = models.CharField(max_length=255)
    url = models.CharField("URL", max_length=500)
    icon_url = models.CharField("icon URL", max_length=500, blank=True)
    label = models.CharField(max_length=100, blank=True)
    shared = models.BooleanField(default=True)
    # Who linked it and left; empty once their account is deleted.
    former = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    # Who was asked to take it over; empty: an admin must name somebody.
    adopter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    vacated_at = models.DateTimeField()

    objects = VacantSiteQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.label or self.name
