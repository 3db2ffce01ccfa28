"""Fields that show nothing of what was entered, and the address of a server."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from confluence_link import servers
from confluence_link.atlassian.probe_steps import why_blocked
from confluence_link.forms import Unechoed
from confluence_link.http import BlockedAddress
from confluence_link.models import OAuthApp

PERMISSIONS: Final = (
    ("WRITE", "Read and write: also create pages"),
    ("READ", "Read only"),
)
NOTHING_CAN_BE_SEALED: Final = (
    "Nothing can be stored at the moment. Tell the operator of this service."
)
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


class UnechoedText(Unechoed, forms.TextInput):
    pass


class UnechoedTextarea(Unechoed, forms.Textarea):
    pass


class SecretField(forms.CharField):
    """One line of printable characters, as Confluence makes them."""

    def __init__(self, *, label: str, shown: bool = False, **rest: Any) -> None:
        widget = UnechoedText if shown else forms.PasswordInput
        attrs = {"autocomplete": "off", "spellcheck": "false"}
        super().__init__(label=label, widget=widget(attrs=attrs), **rest)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if text and not _PRINTABLE.fullmatch(text):
            raise ValidationError("Enter it as Confluence shows it, without blanks.")
        return text


def read_base_url(url: str, server: OAuthApp | None) -> str:
    try:
        return servers.read_base_url(url, server)
    except BlockedAddress as error:
        words = why_blocked(error.detail)
        if error.detail in {"address", "port"}:
            words += " Ask them to add it for your organization."
        raise ValidationError(words) from None
