"""Who is asked: to link an account, or to take over a site whose linker left."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models.functions import Lower

from accounts.models import Membership
from confluence_link.models import LinkedSite, OAuthApp, VacantSite

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from accounts.models import Organization, User

NOBODY_HERE = "Nobody with this address is a member here."


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
        people = _members(self._organization.pk, [address])
        membership = people.get(address.lower())
        if membership is None:
            raise forms.ValidationError(NOBODY_HERE)
        self.member = membership.user
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        site, app = cleaned.setdefault("site", None), cleaned.get("app")
        if site is not None and app is not None and site.oauth_app_id != app.pk:
            self.add_error("site", f"This site is linked through {site.oauth_app}.")
        return cleaned


class AskingForm(forms.Form):
    """For each of some sites, the address of who is asked to take it over, or none.

    An address and no list of people: forms stay short however many members there are.
    """

    # By the name of the field; set by `clean`.
    adopters: dict[str, Membership]

    def ask_about(
        self,
        sites: Mapping[str, LinkedSite | VacantSite],
        *,
        organization_id: int,
        leaving: int = 0,
    ) -> None:
        """A field for each site, by name. Who is leaving takes nothing over."""
        self._sites, self._organization_id = sites, organization_id
        self._leaving = leaving
        for name, site in sites.items():
            self.fields[name] = _address_field(site)

    def clean(self) -> dict[str, Any]:
        typed = {
            name: address for name, address in self.cleaned_data.items() if address
        }
        people = _members(self._organization_id, typed.values(), self._leaving)
        taken = _linked_by(self._organization_id, self._sites.values())
        self.adopters = {}
        for name, address in typed.items():
            member, site = people.get(address.lower()), self._sites[name]
            if member is None:
                self.add_error(name, NOBODY_HERE)
            elif member.user_id in taken[_app_of(site), site.site_id]:
                self.add_error(name, f"{member.user} has linked this site already.")
            else:
                self.adopters[name] = member
        return self.cleaned_data


class AdoptersForm(AskingForm):
    """About the sites that become vacant; fields are named by their public ids."""

    prefix = "adopter"

    def __init__(
        self,
        *args: Any,
        leaver: Membership,
        linked_sites: Collection[LinkedSite],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.ask_about(
            {site.public_id: site for site in linked_sites},
            organization_id=leaver.organization_id,
            leaving=leaver.user_id,
        )

    def field_of(self, linked_site: LinkedSite) -> forms.BoundField | None:
        asked = linked_site.public_id in self.fields
        return self[linked_site.public_id] if asked else None


class AdopterForm(AskingForm):
    """About one vacant site."""

    def __init__(self, *args: Any, vacant_site: VacantSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ask_about(
            {"adopter": vacant_site}, organization_id=vacant_site.organization_id
        )
        self.initial["adopter"] = vacant_site.adopter or ""

    @property
    def adopter(self) -> Membership | None:
        return self.adopters.get("adopter")


def _address_field(site: LinkedSite | VacantSite) -> forms.EmailField:
    return forms.EmailField(
        label=f"Who is asked to take {site} over?",
        help_text="The e-mail address of a member. Empty: nobody yet.",
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


def _members(
    organization_id: int, addresses: Iterable[str], leaving: int = 0
) -> dict[str, Membership]:
    """The members who sign in with these addresses, by address in small letters."""
    memberships = (
        Membership.objects.for_organization(organization_id)
        .in_force()
        .annotate(address=Lower("user__email"))
        .filter(address__in={address.lower() for address in addresses})
        .exclude(user=leaving)
        .select_related("user")
    )
    return {membership.user.email.lower(): membership for membership in memberships}


def _linked_by(
    organization_id: int, sites: Collection[LinkedSite | VacantSite]
) -> dict[tuple[int, str], set[int]]:
    """Whose own links of these sites are shared already: they keep their ids."""
    own = LinkedSite.objects.for_organization(organization_id)
    rows = own.filter(
        site_id__in={site.site_id for site in sites}, shared=True
    ).values_list("grant__oauth_app", "site_id", "grant__user")
    linked = defaultdict(set)
    for oauth_app, site_id, user in rows:
        linked[oauth_app, site_id].add(user)
    return linked


def _app_of(site: LinkedSite | VacantSite) -> int:
    return (
        site.oauth_app_id if isinstance(site, VacantSite) else site.grant.oauth_app_id
    )
