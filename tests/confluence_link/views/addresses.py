"""The addresses of a linked site's pages."""

from __future__ import annotations

from django.urls import reverse


def url(name, site, *more):
    args = [site.organization.slug, site.public_id, *more]
    return reverse(f"confluence_link:{name}", args=args)


def sites_url(organization):
    return reverse("confluence_link:linked_sites", args=[organization.slug])
