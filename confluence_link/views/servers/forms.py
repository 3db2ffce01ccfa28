"""What people type about servers. Secrets go in and are never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from confluence_link import vault
from confluence_link.errors import VaultError
from confluence_link.views.servers.fields import (
    NOTHING_CAN_BE_SEALED,
    PERMISSIONS,
    SecretField,
    read_base_url,
)


class AddServerForm(forms.Form):
    base_url = forms.CharField(
        label="Base URL",
        max_length=500,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="As the browser shows it on the dashboard, with the context path if"
        " there is one, for instance https://wiki.example.com/confluence",
    )
    name = forms.CharField(
        max_length=100, help_text="What people see on the button that links."
    )
    permission = forms.ChoiceField(
        label="What this service may do",
        choices=PERMISSIONS,
        initial="WRITE",
        help_text="Nobody gets more than their own rights on the server.",
    )

    def clean_base_url(self) -> str:
        return read_base_url(self.cleaned_data["base_url"], None)


class SecondSecretForm(forms.Form):
    client_secret = SecretField(
        label="Second client secret",
        max_length=1000,
        help_text="Sealed when it is saved, and never shown again.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        try:
            vault.sealing_key_id()
        except VaultError:
            raise ValidationError(NOTHING_CAN_BE_SEALED) from None
        return cleaned


class CredentialsForm(SecondSecretForm):
    """Both fields as Confluence shows them after the link was created."""

    client_id = SecretField(label="Client ID", max_length=255, shown=True)
    client_secret = SecretField(
        label="Client secret",
        max_length=1000,
        help_text="Sealed when it is saved, and never shown again.",
    )
    field_order = ("client_id", "client_secret")


class AskForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address of the server's administrator",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
