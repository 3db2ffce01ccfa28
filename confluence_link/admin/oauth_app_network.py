"""How the traffic of a Data Center app leaves: what the operator enters about it.

The client certificate and the proxy's password go in and never come out. The private
hosts are the operator's alone to allow; no other page edits them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError

from confluence_link import atlassian, vault
from confluence_link.atlassian.probe_steps import operators_hint, why_blocked
from confluence_link.errors import UnusableCertificate, VaultError
from confluence_link.forms import CaBundleIsShownAgain, Unechoed
from confluence_link.http import (
    BlockedAddress,
    check_base_url,
    check_proxy_url,
    unreadable_entries,
)
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    from confluence_link.http import NetworkPolicy

    Base = forms.ModelForm[OAuthApp]
else:
    Base = forms.ModelForm

DATA_CENTER: Final = OAuthApp.Deployment.DATA_CENTER
# The sealed fields that may also be empty, by the column that tells whether they are.
ERASABLE: Final = {
    "next_client_secret": "sealed_next_client_secret",
    "client_certificate": "sealed_client_certificate",
    "proxy_credentials": "sealed_proxy_credentials",
}
_SERVER_ONLY: Final = (
    "base_url",
    "ca_bundle",
    "client_certificate",
    "proxy_url",
    "proxy_credentials",
    "allowed_private_hosts",
)
_PROXY_WORDS: Final = {
    "scheme": "Start with http:// or https://.",
    "userinfo": "User and password have a field of their own.",
    "path": "After host and port there is nothing more.",
    "port": "Only ports 443, 8443, 3128 and 8080 may be used. For another one, enter"
    " host and port as allowed private host.",
    "address": "This proxy is not on the public internet. If that is right, enter its"
    " host or network as allowed private host.",
}


class UnechoedTextarea(Unechoed, forms.Textarea):
    pass


class NetworkForm(CaBundleIsShownAgain, Base):
    """The fields that a form of OAuth apps adds for its servers."""

    client_certificate = forms.CharField(
        required=False,
        widget=UnechoedTextarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text="Only if the server asks for one: the certificate, its chain and its"
        " private key without a passphrase, in PEM form.",
    )
    proxy_credentials = forms.CharField(
        label="Proxy's user and password",
        max_length=500,
        required=False,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
        help_text="As user:password. Another proxy needs them again.",
    )
    allowed_private_hosts = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="One per line: hosts, addresses and networks that this server or its"
        " proxy may have although they are not public, for instance wiki.corp:8090 or"
        " 10.1.0.0/16.",
    )
    erase = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="What is sealed and not needed any more.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hosts = map(str, self.instance.allowed_private_hosts)
        self.initial["allowed_private_hosts"] = "\n".join(hosts)
        for name, column in ERASABLE.items():
            if name in self.fields and getattr(self.instance, column):
                self._tell_what_is_there(name)
        if "erase" in self.fields and not self._erasable:
            del self.fields["erase"]

    def _tell_what_is_there(self, name: str) -> None:
        field, until = self.fields[name], self.instance.client_certificate_expires_at
        field.help_text = f"There is one; left empty, it stays. {field.help_text}"
        if name == "client_certificate" and until is not None:
            field.help_text = f"Valid until {until:%Y-%m-%d}. {field.help_text}"
        label = str(field.label or name.replace("_", " ")).capitalize()
        self._erasable.append((name, label))

    @property
    def _erasable(self) -> list[tuple[str, str]]:
        erase: Any = self.fields["erase"]
        choices: list[tuple[str, str]] = erase.choices
        return choices

    @property
    def deployment(self) -> str:
        """What was chosen now, or what the row has had from the start."""
        return str(self.cleaned_data.get("deployment") or self.instance.deployment)

    def seal_network(self) -> None:
        """Into the row, which the caller saves. Raises VaultError without keys."""
        app, cleaned = self.instance, self.cleaned_data
        erased = set(cleaned.get("erase", ()))
        if app.proxy_url != self.initial.get("proxy_url", ""):
            # Another proxy does not get the password of the one before.
            erased.add("proxy_credentials")
        for name in ERASABLE:
            text = cleaned.get(name, "")
            if text or name in erased:
                getattr(vault, f"seal_{name}")(app, text)

    def clean_client_certificate(self) -> str:
        pem: str = self.cleaned_data["client_certificate"]
        try:
            vault.seal_client_certificate(OAuthApp(), pem)
        except UnusableCertificate as error:
            raise ValidationError(str(error)) from None
        except VaultError:
            # The client secret's field tells of it.
            pass
        return pem

    def clean_proxy_credentials(self) -> str:
        credentials: str = self.cleaned_data["proxy_credentials"]
        user, colon, _ = credentials.partition(":")
        if credentials and not (user and colon and credentials.isprintable()):
            raise ValidationError("Enter user:password.")
        return credentials

    def clean_allowed_private_hosts(self) -> list[str]:
        hosts = self.cleaned_data["allowed_private_hosts"].split()
        if unreadable := unreadable_entries(hosts):
            raise ValidationError(f"Not a host or network: {', '.join(unreadable)}.")
        return list(dict.fromkeys(hosts))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.deployment != DATA_CENTER:
            self._refuse_on_cloud(cleaned)
            return cleaned
        for name, check in (
            ("base_url", self._canonical_base_url),
            ("proxy_url", self._canonical_proxy_url),
        ):
            try:
                if name in cleaned:
                    cleaned[name] = check(cleaned[name])
            except ValidationError as error:
                self.add_error(name, error)
        if cleaned.get("proxy_credentials") and not cleaned.get("proxy_url"):
            self.add_error("proxy_url", "Enter the proxy that the password is for.")
        return cleaned

    def _refuse_on_cloud(self, cleaned: dict[str, Any]) -> None:
        for name in _SERVER_ONLY:
            if cleaned.get(name):
                self.add_error(name, "Confluence Cloud has none: leave it empty.")

    def _permitted(self) -> NetworkPolicy:
        """Under what is entered now; the sealed settings say nothing about it."""
        stored = self.instance.allowed_private_hosts
        app = OAuthApp(
            deployment=DATA_CENTER,
            allowed_private_hosts=self.cleaned_data.get(
                "allowed_private_hosts", stored
            ),
        )
        return atlassian.deployment_for(app).network_policy

    def _canonical_base_url(self, url: str) -> str:
        if not url:
            raise ValidationError("A Data Center app needs the server's base URL.")
        try:
            return check_base_url(url, self._permitted())
        except BlockedAddress as error:
            words = f"{why_blocked(error.detail)} {operators_hint(error.detail)}"
            raise ValidationError(words.strip()) from None

    def _canonical_proxy_url(self, url: str) -> str:
        try:
            return check_proxy_url(url, self._permitted()) if url else ""
        except BlockedAddress as error:
            words = _PROXY_WORDS.get(error.detail) or why_blocked(error.detail)
            raise ValidationError(words) from None
