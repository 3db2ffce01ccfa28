"""What we know of the other side: Confluence Cloud and Confluence Data Center.

Only what differs between the two lies here, and the values that they share. Nothing
here knows a grant or opens a connection of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluence_link.atlassian.api import ConfluenceApi
from confluence_link.atlassian.base import Deployment
from confluence_link.atlassian.call import Call
from confluence_link.atlassian.cloud import Cloud
from confluence_link.atlassian.cloud_api import CloudApi
from confluence_link.atlassian.data_center import DataCenter
from confluence_link.atlassian.data_center_api import DataCenterApi
from confluence_link.atlassian.personal_data import (
    MOST_REPORTED_ACCOUNTS,
    REPORT_SCOPE,
    ReportAnswer,
    report_accounts,
)
from confluence_link.atlassian.storage_format import from_plain_text, to_safe_html
from confluence_link.atlassian.values import (
    Account,
    Page,
    SearchHit,
    Site,
    Slice,
    Space,
)

if TYPE_CHECKING:
    from confluence_link.models import OAuthApp

__all__ = [
    "MOST_REPORTED_ACCOUNTS",
    "REPORT_SCOPE",
    "Account",
    "Call",
    "ConfluenceApi",
    "Deployment",
    "Page",
    "ReportAnswer",
    "SearchHit",
    "Site",
    "Slice",
    "Space",
    "absolute_days",
    "api_for",
    "deployment_for",
    "from_plain_text",
    "report_accounts",
    "to_safe_html",
]

_DEPLOYMENTS: dict[str, type[Deployment]] = {
    "cloud": Cloud,
    "data_center": DataCenter,
}


def deployment_for(oauth_app: OAuthApp) -> Deployment:
    return _DEPLOYMENTS[oauth_app.deployment](oauth_app)


def absolute_days() -> dict[str, int]:
    """Of each deployment whose consents end however much they are used, after what."""
    found = {name: each.absolute_days for name, each in _DEPLOYMENTS.items()}
    return {name: days for name, days in found.items() if days is not None}


def api_for(oauth_app: OAuthApp, *, site_url: str) -> ConfluenceApi:
    """`site_url` is where people find the site; it decides no request."""
    if oauth_app.deployment == oauth_app.Deployment.CLOUD:
        return CloudApi(site_url)
    return DataCenterApi(oauth_app.base_url.rstrip("/"))
