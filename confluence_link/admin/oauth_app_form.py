"""The form of an OAuth app. The client secret goes in and never comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from confluence_link import atlassian, vault
from confluence_link.atlassian.probe_steps import operators_hint, why_blocked
from confluence_link.errors import VaultError
from confluence_link.http import BlockedAddress, check_base_url
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    Base = forms.ModelForm[OAuthApp]
else:
    Base = forms.ModelForm

DATA_CENTER = OAuthApp.Deployment.DATA_CENTER


class OAuthAppForm(Base):
    """Adds the secret and the scopes as text to the model's own fields."""

    client_secret = forms.CharField(
        max_length=1000,
        required=False,
        widget=forms.PasswordInput(
            render_value=False,
            attrs={"autocomplete": "new-password", "class": "vTextField"},
        ),
        help_text="Sealed when it is saved, and never shown again. Left empty, a secret"
        " that is there stays.",
    )
    scopes = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="Separated by blanks, each also allowed on the app itself at the"
        " other side. Empty: what this service needs.",
    )

    class Meta:
        model = OAuthApp
        fields = (
            "deployment",
            "provider_id",
            "name",
            "base_url",
            "client_id",
            "scopes",
            "organization",
            "ca_bundle",
            "enabled",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scopes" in self.fields:
            self.initial["scopes"] = " ".join(self.instance.scopes)
        if "client_secret" in self.fields and not self.instance.sealed_client_secret:
            self.fields["client_secret"].required = True

    @property
    def deployment(self) -> str:
        """What was chosen now, or what the row has had from the start."""
        return str(self.cleaned_data.get("deployment") or self.instance.deployment)

    @property
    def changes(self) -> list[str]:
        """The fields whose stored value becomes another one, by name."""
        stored = dict(self.initial)
        stored["scopes"] = str(stored.get("scopes", "")).split()
        return [
            name
            for name in self.changed_data
            if self.cleaned_data[name] != stored.get(name)
        ]

    def clean_scopes(self) -> list[str]:
        scopes = self.cleaned_data["scopes"].split()
        if scopes:
            return list(dict.fromkeys(scopes))
        if self.deployment == DATA_CENTER:
            return ["WRITE"]
        return list(settings.CONFLUENCE_CLOUD_SCOPES)

    def clean_client_secret(self) -> str:
        secret: str = self.cleaned_data["client_secret"]
        try:
            vault.sealing_key_id()
        except VaultError:
            raise ValidationError(
                "Nothing can be sealed: CONFLUENCE_LINK_VAULT_KEYS has no usable key."
            ) from None
        return secret

    def clean_ca_bundle(self) -> str:
        bundle: str = self.cleaned_data["ca_bundle"].strip()
        if "PRIVATE KEY" in bundle:
            # The field is shown again to everyone who may look at the app.
            self.data = {**dict(self.data.items()), "ca_bundle": ""}
            raise ValidationError("This holds a private key. Enter certificates only.")
        if bundle and "-----BEGIN CERTIFICATE-----" not in bundle:
            raise ValidationError("Enter certificates in PEM form.")
        return bundle

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "base_url" in cleaned:
            try:
                cleaned["base_url"] = self._canonical_base_url(cleaned["base_url"])
            except ValidationError as error:
                self.add_error("base_url", error)
        return cleaned

    def _canonical_base_url(self, url: str) -> str:
        if self.deployment != DATA_CENTER:
            if url:
                raise ValidationError("Confluence Cloud has none: leave it empty.")
            return ""
        if not url:
            raise ValidationError("A Data Center app needs the server's base URL.")
        app = OAuthApp(deployment=DATA_CENTER, base_url=url)
        try:
            return check_base_url(url, atlassian.deployment_for(app).network_policy)
        except BlockedAddress as error:
            words = f"{why_blocked(error.detail)} {operators_hint(error.detail)}"
            raise ValidationError(words.strip()) from None
