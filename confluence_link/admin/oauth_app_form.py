"""The form of an OAuth app. The client secret goes in and never comes out."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from confluence_link import vault
from confluence_link.admin.oauth_app_network import DATA_CENTER, NetworkForm
from confluence_link.errors import VaultError
from confluence_link.models import OAuthApp

# How stored lists are shown and typed.
_IN_WORDS: Final = ("scopes", "allowed_private_hosts")


def _secret_field(help_text: str) -> forms.CharField:
    return forms.CharField(
        max_length=1000,
        required=False,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
        help_text=help_text,
    )


class OAuthAppForm(NetworkForm):
    """Adds secrets and lists as text to the model's own fields."""

    client_secret = _secret_field(
        "Sealed when it is saved, and never shown again. Left empty, a secret that is"
        " there stays."
    )
    next_client_secret = _secret_field(
        "The secret to come, while it is being changed: it is tried where the one above"
        " is refused, and takes its place when it works."
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
            "proxy_url",
            "allowed_private_hosts",
            "enabled",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scopes" in self.fields:
            self.initial["scopes"] = " ".join(self.instance.scopes)

    @property
    def changes(self) -> list[str]:
        """The fields whose stored value becomes another one, by name."""
        stored = dict(self.initial)
        for name in _IN_WORDS:
            stored[name] = str(stored.get(name, "")).split()
        changed = [
            name
            for name in self.changed_data
            if name != "erase" and self.cleaned_data[name] != stored.get(name)
        ]
        erased = self.cleaned_data.get("erase", ())
        return list(dict.fromkeys([*changed, *erased]))

    def clean_scopes(self) -> list[str]:
        scopes = self.cleaned_data["scopes"].split()
        if scopes:
            return list(dict.fromkeys(scopes))
        if self.deployment == DATA_CENTER:
            return ["WRITE"]
        return list(settings.CONFLUENCE_CLOUD_SCOPES)

    def clean_client_secret(self) -> str:
        secret: str = self.cleaned_data["client_secret"]
        stored = self.instance.sealed_client_secret
        # Without a client id it is a draft, whose organization enters both.
        if self.cleaned_data.get("client_id") and not secret and not stored:
            raise ValidationError("This field is required.")
        try:
            vault.sealing_key_id()
        except VaultError:
            raise ValidationError(
                "Nothing can be sealed: CONFLUENCE_LINK_VAULT_KEYS has no usable key."
            ) from None
        return secret
