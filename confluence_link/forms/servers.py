"""What the operator's form and the organization's form of a server have in common."""

from __future__ import annotations

from typing import Any

from django import forms

from confluence_link.errors import TransportError
from confluence_link.http import check_ca_bundle


class Unechoed:
    """For a widget: it shows nothing of what was entered, whatever is wrong with it."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(  # type: ignore[misc]  # a mixin
            name, None, attrs
        )
        return context


class CaBundleIsShownAgain:
    """For a form with the field `ca_bundle`."""

    data: Any
    cleaned_data: dict[str, Any]

    def clean_ca_bundle(self) -> str:
        bundle: str = self.cleaned_data["ca_bundle"].strip()
        if "PRIVATE KEY" in bundle:
            # Nor is it echoed now.
            self.data = {**dict(self.data.items()), "ca_bundle": ""}
            raise forms.ValidationError(
                "This holds a private key. Enter certificates only."
            )
        try:
            check_ca_bundle(bundle)
        except TransportError:
            raise forms.ValidationError("Enter certificates in PEM form.") from None
        return bundle
