"""What people type into our pages."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django import forms

from accounts.models import Membership
from confluence_link.atlassian import storage_format
from confluence_link.models import LinkedSite, OAuthApp, VacantSite

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.http import HttpRequest, QueryDict

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


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to; a post may be empty where nothing has to be chosen."""
    return request.POST if request.method == "POST" else None


class AdoptersForm(forms.Form):
    """For each site that becomes vacant, who is asked to take it over."""

    prefix = "adopter"

    def __init__(
        self,
        *args: Any,
        leaver: Membership,
        linked_sites: Collection[LinkedSite],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._people = _people(leaver.organization_id, leaving=leaver.user_id)
        taken = _linked_by(leaver.organization_id, linked_sites)
        for site in linked_sites:
            self.fields[site.public_id] = _adopter_field(
                site, self._people, taken[site.grant.oauth_app_id, site.site_id]
            )

    def field_of(self, linked_site: LinkedSite) -> forms.BoundField | None:
        return self[linked_site.public_id] if linked_site.shared else None

    @property
    def adopters(self) -> dict[str, Membership]:
        """By the public id of the linked site."""
        return {
            site: self._people[member]
            for site, member in self.cleaned_data.items()
            if member
        }


class AdopterForm(forms.Form):
    """Who is asked to take over one vacant site."""

    def __init__(self, *args: Any, vacant_site: VacantSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = _people(vacant_site.organization_id)
        taken = _linked_by(vacant_site.organization_id, [vacant_site])
        self.fields["adopter"] = _adopter_field(
            vacant_site,
            self._people,
            taken[vacant_site.oauth_app_id, vacant_site.site_id],
        )

    @property
    def adopter(self) -> Membership | None:
        return self._people.get(self.cleaned_data["adopter"])


def _people(organization_id: int, *, leaving: int = 0) -> dict[str, Membership]:
    """The members who can sign in, by public id."""
    memberships = (
        Membership.objects.filter(organization=organization_id, user__is_active=True)
        .exclude(user=leaving)
        .select_related("user")
        .order_by("user__email")
    )
    return {membership.public_id: membership for membership in memberships}


def _linked_by(
    organization_id: int, sites: Collection[LinkedSite | VacantSite]
) -> dict[tuple[int, str], set[int]]:
    """Whose own links of these sites are shared already: they keep their ids."""
    rows = LinkedSite.objects.filter(
        organization=organization_id,
        site_id__in={site.site_id for site in sites},
        shared=True,
    ).values_list("grant__oauth_app", "site_id", "grant__user")
    linked = defaultdict(set)
    for oauth_app, site_id, user in rows:
        linked[oauth_app, site_id].add(user)
    return linked


def _adopter_field(
    site: LinkedSite | VacantSite,
    people: Mapping[str, Membership],
    without: Collection[int],
) -> forms.ChoiceField:
    choices = [
        (public_id, str(membership.user))
        for public_id, membership in people.items()
        if membership.user_id not in without
    ]
    return forms.ChoiceField(
        label=f"Who is asked to take {site} over?",
        choices=[("", "Nobody yet"), *choices],
        required=False,
    )


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
