"""What people type into our pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.models import Membership
from confluence_link.atlassian import storage_format
from confluence_link.models import OAuthApp, VacantSite

if TYPE_CHECKING:
    from accounts.models import Organization, User


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


class LinkInvitationForm(forms.Form):
    """Who is asked to link an account, where, and for which site if for one."""

    person = forms.EmailField(
        label="Member", help_text="The e-mail address that they sign in with."
    )
    app = forms.ModelChoiceField(
        OAuthApp.objects.none(),
        label="Confluence",
        to_field_name="provider_id",
        empty_label=None,
    )
    site = forms.ModelChoiceField(
        VacantSite.objects.none(),
        label="Site to take over",
        to_field_name="public_id",
        required=False,
        help_text="Sites whose linker left wait for somebody who links them again.",
    )
    # Set by `clean_person`.
    member: User

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._organization = organization
        apps = OAuthApp.objects.for_organization(organization)
        vacant = VacantSite.objects.for_organization(organization)
        self.fields["app"].queryset = apps  # type: ignore[attr-defined]  # a choice field
        self.fields["site"].queryset = vacant  # type: ignore[attr-defined]  # a choice field
        if not vacant.exists():
            del self.fields["site"]

    def clean_person(self) -> str:
        address: str = self.cleaned_data["person"]
        membership = (
            Membership.objects.filter(
                organization=self._organization,
                user__email__iexact=address,
                user__is_active=True,
            )
            .select_related("user")
            .first()
        )
        if membership is None:
            raise forms.ValidationError("Nobody with this address is a member here.")
        self.member = membership.user
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        site, app = cleaned.setdefault("site", None), cleaned.get("app")
        if site is not None and app is not None and site.oauth_app_id != app.pk:
            self.add_error("site", f"This site is linked through {site.oauth_app}.")
        return cleaned
