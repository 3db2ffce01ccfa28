"""The operator's pages: OAuth apps are kept here, everything else is looked at.

What refreshing and linking write is read-only; an operator acts through named
actions, each confirmed and recorded. Pending links, used states and sealed token
sets have no page at all.

    oauth_apps     the one kind of row that is edited; its secrets are write-only
    grants         refresh now, list the sites again, unlink
    linked_sites   unlink
    vacant_sites   what waits for somebody who links it again
    invitations    what was mailed to link an account, or to set up a server
    people         deleting people and organizations
    events         what happened
    start_page     the numbers an operator looks at first
    confirmation   asks before an action
    wording        what several pages say alike
    stock          the pages of allauth that are taken away
"""

from __future__ import annotations

from django.contrib import admin

from confluence_link.admin import (
    events,
    grants,
    invitations,
    linked_sites,
    oauth_apps,
    people,
    stock,
    vacant_sites,
)

__all__ = [
    "events",
    "grants",
    "invitations",
    "linked_sites",
    "oauth_apps",
    "people",
    "stock",
    "vacant_sites",
]

admin.site.site_header = "Confluence Link"
admin.site.site_title = "Confluence Link"
admin.site.index_title = "Overview"
# Lists need the width; the breadcrumbs lead back to the start page.
admin.site.enable_nav_sidebar = False
