"""The settings of one server. What is sealed is replaced or removed, never shown."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from confluence_link import servers, vault
from confluence_link.atlassian.probe_steps import why_blocked
from confluence_link.errors import UnusableCertificate, VaultError
from confluence_link.forms import CaBundleIsShownAgain
from confluence_link.http import BlockedAddress
from confluence_link.models import OAuthApp
from confluence_link.views.servers.fields import (
    NOTHING_CAN_BE_SEALED,
    PERMISSIONS,
    UnechoedText,
    UnechoedTextarea,
    read_base_url,
)

_PEM_ROWS: Final = {"rows": 6, "spellcheck": "false", "autocomplete": "off"}


class ServerSettingsForm(CaBundleIsShownAgain, forms.Form):
    name = forms.CharField(max_length=100)
    permission = forms.ChoiceField(
        label="What this service may do",
        choices=PERMISSIONS,
        help_text="It must not exceed the permission of the link on the server. Who"
        " linked before keeps what they allowed.",
    )
    base_url = forms.CharField(
        label="Base URL",
        max_length=500,
        help_text="If it changes, client ID and secret must be entered again: they"
        " belong to the old address.",
    )
    ca_bundle = forms.CharField(
        label="CA bundle",
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs=_PEM_ROWS),
        help_text="Only if the server's certificate is from an authority of your own:"
        " that authority's certificate in PEM form. It replaces the public ones.",
    )
    client_certificate = forms.CharField(
        required=False,
        max_length=100_000,
        widget=UnechoedTextarea(attrs=_PEM_ROWS),
        help_text="Only if the server asks for one: certificate, chain and unencrypted"
        " private key in PEM form. Sealed, and never shown again.",
    )
    remove_client_certificate = forms.BooleanField(required=False)
    proxy_url = forms.CharField(
        label="Proxy",
        required=False,
        max_length=300,
        help_text="An HTTP proxy that leads to the server, for instance"
        " http://proxy.example.com:3128. Another proxy needs its password again, and"
        " together with a CA bundle client ID and secret, too.",
    )
    proxy_user = forms.CharField(
        label="User name at the proxy",
        required=False,
        max_length=200,
        widget=UnechoedText(attrs={"autocomplete": "off"}),
    )
    proxy_password = forms.CharField(
        label="Password at the proxy",
        required=False,
        max_length=500,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Sealed, and never shown again. Left empty, those that are stored"
        " stay.",
    )

    def __init__(self, data: Any, *, server: OAuthApp) -> None:
        scopes = " ".join(server.scopes)
        initial = {
            "name": server.name,
            "permission": scopes,
            "base_url": server.base_url,
            "ca_bundle": server.ca_bundle,
            "proxy_url": server.proxy_url,
        }
        super().__init__(data, initial=initial)
        self.server = server
        permission, base_url = self.fields["permission"], self.fields["base_url"]
        if scopes not in dict(PERMISSIONS):
            # What an operator chose stays until somebody chooses something else.
            assert isinstance(permission, forms.ChoiceField)
            permission.choices = [*PERMISSIONS, (scopes, f"As it is: {scopes}")]
        if servers.is_linked(server):
            base_url.disabled = True
            base_url.help_text = (
                "Fixed, because people have linked: add another server instead."
            )
        if not server.sealed_client_certificate:
            del self.fields["remove_client_certificate"]

    @property
    def settings(self) -> servers.Settings:
        """What was entered, for `servers.change`."""
        entered = self.cleaned_data
        return servers.Settings(
            name=entered["name"],
            scopes=entered["permission"].split(),
            base_url=entered["base_url"],
            ca_bundle=entered["ca_bundle"],
            proxy_url=entered["proxy_url"],
            proxy_credentials=self._proxy_credentials,
            client_certificate=self._client_certificate,
        )

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        if url == self.server.base_url:
            # Whatever the operator permits by now: that does not keep the name.
            return url
        return read_base_url(url, self.server)

    def clean_proxy_url(self) -> str:
        url: str = self.cleaned_data["proxy_url"]
        try:
            return url and servers.read_proxy_url(url, self.server)
        except BlockedAddress as error:
            raise ValidationError(_why_not_this_proxy(error.detail)) from None

    def clean_client_certificate(self) -> str:
        pem: str = self.cleaned_data["client_certificate"].strip()
        try:
            vault.seal_client_certificate(OAuthApp(provider_id="-"), pem)
        except UnusableCertificate as error:
            raise ValidationError(str(error)) from None
        except VaultError:
            raise ValidationError(NOTHING_CAN_BE_SEALED) from None
        return pem

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        user, password = cleaned.get("proxy_user"), cleaned.get("proxy_password")
        if bool(user) != bool(password):
            self.add_error("proxy_password", "Enter both user name and password.")
        if user and ":" in user:
            self.add_error("proxy_user", "A user name has no colon.")
        if user and not cleaned.get("proxy_url"):
            self.add_error("proxy_url", "Enter the proxy that they are for.")
        return cleaned

    @property
    def _proxy_credentials(self) -> str | None:
        entered = self.cleaned_data
        if not entered["proxy_url"]:
            return ""
        if not entered["proxy_user"]:
            return None
        return f"{entered['proxy_user']}:{entered['proxy_password']}"

    @property
    def _client_certificate(self) -> str | None:
        if self.cleaned_data["client_certificate"]:
            return str(self.cleaned_data["client_certificate"])
        return "" if self.cleaned_data.get("remove_client_certificate") else None


def _why_not_this_proxy(detail: str) -> str:
    if detail in {"address", "port"}:
        return why_blocked("proxy")
    if detail == "scheme":
        return "Start with http:// or https://."
    if detail == "userinfo":
        return "Enter user name and password in the fields below."
    if detail in {"path", "query"}:
        return "There is nothing after the proxy's host and port."
    return why_blocked(detail)
