"""What people type into our pages."""

from __future__ import annotations

from django import forms

from confluence_link.atlassian import storage_format


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
