"""OAuth apps: added, edited, switched off; and what to register at the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from accounts.admin import StrictAdmin, staff
from confluence_link import events, vault
from confluence_link.admin.filters import LastErrorFilter
from confluence_link.admin.oauth_app_form import OAuthAppForm
from confluence_link.admin.oauth_app_network import ERASABLE
from confluence_link.admin.wording import moment
from confluence_link.models import (
    Event,
    Grant,
    OAuthApp,
    OAuthAppHealth,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

CLIENT = ("client_id", "client_secret", "next_client_secret", "scopes")
SERVER = (
    "base_url",
    "ca_bundle",
    "client_certificate",
    "proxy_url",
    "proxy_credentials",
    "allowed_private_hosts",
)
# Of an app whose secrets come from the environment.
NOT_EDITED = ("client_secret", "next_client_secret", "scopes", "erase")
HEALTH = ("health_in_words", "last_success_at", "last_error")
# Kept true to the environment by `sync_cloud_app`.
FROM_SETTINGS = ("client_id", "asked_scopes")
FROM_SETTINGS_NOTE = (
    "These and the secret come from CONFLUENCE_CLOUD_… in the environment,"
    " and are taken over at every start."
)
# After a change of these the next try may well succeed.
CONNECTING = frozenset(
    {*SERVER, "client_id", "client_secret", "next_client_secret", "enabled"}
)


@admin.register(OAuthApp)
class OAuthAppAdmin(StrictAdmin[OAuthApp]):
    form = OAuthAppForm
    change_form_template = "admin/confluence_link/oauthapp/change_form.html"
    list_display = (
        "name",
        "deployment",
        "provider_id",
        "base_url",
        "organization",
        "enabled",
        "health_in_words",
    )
    list_filter = (
        "deployment",
        "enabled",
        "organization",
        ("health__last_error", LastErrorFilter),
    )
    search_fields = ("name", "provider_id", "base_url", "client_id")
    list_select_related = ("organization", "health")
    autocomplete_fields = ("organization",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OAuthApp]:
        paused = ExpressionWrapper(
            Q(health__paused_until__gt=Now()), output_field=BooleanField()
        )
        return super().get_queryset(request).annotate(is_paused_now=paused)

    def get_fieldsets(self, request: HttpRequest, obj: OAuthApp | None = None) -> Any:
        from_settings = obj is not None and obj.from_settings
        on_cloud = obj is not None and obj.deployment == OAuthApp.Deployment.CLOUD
        client = {
            "fields": FROM_SETTINGS if from_settings else CLIENT,
            "description": FROM_SETTINGS_NOTE if from_settings else "",
        }
        server = ("Data Center server", {"fields": SERVER})
        sealed = ("Sealed", {"fields": ("erase",)})
        return [
            (None, {"fields": ("deployment", "provider_id", "name")}),
            ("At the other side", client),
            *([] if on_cloud else [server]),
            *([sealed] if _may_erase(obj) else []),
            ("Who may link", {"fields": ("organization", "enabled")}),
            *([("Health", {"fields": HEALTH})] if obj else []),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: OAuthApp | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return HEALTH
        fixed: tuple[str, ...] = ("deployment", "provider_id", *HEALTH)
        if obj.from_settings:
            fixed += (*FROM_SETTINGS, *NOT_EDITED)
        if obj.deployment == OAuthApp.Deployment.CLOUD:
            return (*fixed, *SERVER)
        if obj.grants.exclude(status=Grant.Status.UNLINKED).exists():
            # People's refresh tokens are sent there: no edit may redirect them.
            return (*fixed, "base_url")
        return fixed

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One app is removed at a time, on its own page."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: OAuthApp | None = None,
    ) -> HttpResponse:
        """Tells what to enter at the other side, before there is a row too."""
        shown = obj or OAuthApp(provider_id="your-provider-id")
        context["redirect_uri"] = shown.redirect_uri
        context["for_cloud"] = shown.deployment != OAuthApp.Deployment.DATA_CENTER
        context["for_data_center"] = shown.deployment != OAuthApp.Deployment.CLOUD
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(
        self, request: HttpRequest, obj: OAuthApp, form: Any, change: bool
    ) -> None:
        changed = form.changes if change else ["added"]
        if form.cleaned_data.get("client_secret"):
            vault.seal_client_secret(obj, form.cleaned_data["client_secret"])
        form.seal_network()
        super().save_model(request, obj, form, change)
        if CONNECTING.intersection(changed):
            # Its breaker probes at the next sweep instead of waiting.
            OAuthAppHealth.objects.filter(oauth_app=obj).update(paused_until=None)
        events.record(
            Event.Kind.APP_CHANGED, actor=staff(request), oauth_app=obj, changed=changed
        )

    def delete_model(self, request: HttpRequest, obj: OAuthApp) -> None:
        name = obj.name
        super().delete_model(request, obj)
        events.record(
            Event.Kind.APP_CHANGED, actor=staff(request), changed="deleted", app=name
        )

    # Columns
    # --------------------------------------------------------------------------
    @admin.display(description="health")
    def health_in_words(self, app: OAuthApp) -> str:
        health = _health(app)
        if not app.enabled:
            return "switched off"
        if health is None:
            return "not used yet"
        if health.configuration_refused_since is not None:
            return (
                f"settings refused since {moment(health.configuration_refused_since)}"
            )
        if app.is_paused_now:  # type: ignore[attr-defined]  # annotated
            return f"paused until {moment(health.paused_until)}"
        return "recovering" if health.openings else "working"

    @admin.display(description="last success")
    def last_success_at(self, app: OAuthApp) -> str:
        health = _health(app)
        return moment(health.last_success_at if health else None)

    @admin.display(description="last error")
    def last_error(self, app: OAuthApp) -> str:
        health = _health(app)
        return (health and health.last_error) or "-"

    @admin.display(description="scopes")
    def asked_scopes(self, app: OAuthApp) -> str:
        return " ".join(app.scopes)


def _may_erase(app: OAuthApp | None) -> bool:
    if app is None or app.from_settings:
        return False
    return any(getattr(app, column) for column in ERASABLE.values())


def _health(app: OAuthApp) -> OAuthAppHealth | None:
    return getattr(app, "health", None)
