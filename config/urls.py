"""Every address. Those of linking itself are in `confluence_link.urls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import Http404
from django.urls import include, path
from django.views.generic import RedirectView

from accounts.views.start import home
from config.health import healthz
from confluence_link.admin.start_page import start_page
from confluence_link.api.v1 import api
from confluence_link.urls import (
    account_urlpatterns,
    invitation_urlpatterns,
    page_urlpatterns,
    server_setup_urlpatterns,
)

if TYPE_CHECKING:
    from typing import NoReturn

    from django.http import HttpRequest

# Second factors, passkeys and rate limits hold for the admin too.
# Reference: https://docs.allauth.org/en/latest/common/admin.html
admin.site.login = secure_admin_login(  # type: ignore[method-assign]  # as documented
    admin.site.login
)


def not_here(request: HttpRequest) -> NoReturn:
    """In place of a page of allauth that this project does without."""
    raise Http404


urlpatterns = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    # In place of Django's, which it wraps.
    path("admin/", admin.site.admin_view(start_page)),
    path("admin/", admin.site.urls),
    # Before allauth's own: linked sites are shown per organization, and a
    # Confluence account signs nobody up.
    path("accounts/3rdparty/", RedirectView.as_view(pattern_name="home")),
    path("accounts/3rdparty/signup/", not_here),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("me/", include(account_urlpatterns)),
    path("api/v1/", api.urls),
    path("link-invitations/", include(invitation_urlpatterns)),
    path("server-setup/", include(server_setup_urlpatterns)),
    path("o/<slug:slug>/", include((page_urlpatterns, "confluence_link"))),
]
