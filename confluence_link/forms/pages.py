"""Pages, and what cannot be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from confluence_link.atlassian import storage_format

if TYPE_CHECKING:
    from django.http import HttpRequest, QueryDict


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to; a post may be empty where nothing has to be chosen."""
    return request.POST if request.method == "POST" else None


class CreatePageForm(forms.Form):
    """A page in plain text; Confluence itself allows 255 characters of title."""

    title = forms.CharField(max_length=255)
    text = forms.CharField(
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text="Plain text. An empty line begins a new paragraph.",
    )

    @property
    def body(self) -> str:
        """The text in Confluence's storage format."""
        return storage_format.from_plain_text(self.cleaned_data["text"])


class TypedNameForm(forms.Form):
    """What cannot be undone wants a name to be typed."""

    name = forms.CharField(max_length=254)

    def __init__(self, *args: Any, expected: str, label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected = expected
        self.fields["name"].label = label
        self.fields["name"].widget.attrs |= {
            "autocomplete": "off",
            "autocapitalize": "off",
            "spellcheck": "false",
        }

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name.casefold() != self._expected.strip().casefold():
            raise forms.ValidationError("This is not what stands above.")
        return name
