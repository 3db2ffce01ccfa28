"""What of the audit log is asked for: a form whose fields stand in the address."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Membership
from confluence_link.models import Event, LinkedSite
from confluence_link.views.event_words import BY_OPERATORS

if TYPE_CHECKING:
    from datetime import date

    from django.db.models import QuerySet

    from accounts.models import Organization

# Kinds by the first word of their value; every kind is in one group.
GROUPS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "links": ("Links and sharing", ("site", "link")),
    "access": ("Access and its renewal", ("grant", "account", "app")),
    "pages": ("Pages", ("page",)),
    "servers": ("Servers", ("server",)),
    "people": ("People and roles", ("member", "organization")),
    "keys": ("Service keys", ("key",)),
}


def kinds_of(group: str) -> list[str]:
    _, words = GROUPS[group]
    return [kind for kind in Event.Kind.values if kind.partition(".")[0] in words]


class AuditFilter(forms.Form):
    """Nothing chosen is everything."""

    kind = forms.ChoiceField(
        label="What",
        required=False,
        choices=[
            ("", "Everything"),
            *((name, words) for name, (words, _) in GROUPS.items()),
        ],
        error_messages={"invalid_choice": "Choose one of the list."},
    )
    person = forms.EmailField(
        label="Done by",
        required=False,
        max_length=254,
        help_text="An e-mail address.",
        error_messages={"invalid": "Enter a whole e-mail address."},
    )
    site = forms.CharField(
        label="Linked site",
        required=False,
        max_length=255,
        help_text="A part of its name.",
    )
    since = forms.DateField(label="From", required=False)
    until = forms.DateField(label="To", required=False, help_text="In UTC.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("since", "until"):
            field = self.fields[name]
            field.widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            field.error_messages["invalid"] = "Enter a date, as in 2026-11-22."

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since > until:
            self.add_error("until", "This is before the first day.")
        return data

    @property
    def is_narrow(self) -> bool:
        """Whether anything was asked for."""
        return any(self.cleaned_data.values())

    def events(self, organization: Organization) -> QuerySet[Event]:
        """Of a valid form: the organization's events that match, newest first."""
        data = self.cleaned_data
        found = Event.objects.visible_to(organization).filter(_of_kind(data["kind"]))
        if data["person"]:
            found = found.filter(_done_by(data["person"], organization))
        if data["site"]:
            found = found.filter(_about_site(data["site"], organization))
        if data["since"]:
            found = found.filter(at__gte=_moment(data["since"], time.min))
        if data["until"]:
            found = found.filter(at__lte=_moment(data["until"], time.max))
        return found.select_related("actor", "grant", "oauth_app")


def _of_kind(choice: str) -> Q:
    return Q(kind__in=kinds_of(choice)) if choice else Q()


def _done_by(address: str, organization: Organization) -> Q:
    """Only where the page names who did it: what it hides cannot be asked for."""
    members = Membership.objects.for_organization(organization)
    member = members.filter(user=OuterRef("actor"))
    named = Q(organization=organization) | Q(actor=F("grant__user"))
    operator = Q(kind__in=BY_OPERATORS) | (Q(actor__is_staff=True) & ~Q(Exists(member)))
    return Q(actor__email__iexact=address) & named & ~operator


def _about_site(name: str, organization: Organization) -> Q:
    """Events that name the site, and those of its grant that name none."""
    named = LinkedSite.objects.for_organization(organization).filter(
        Q(name__icontains=name) | Q(label__icontains=name)
    )
    of_grant = Q(facts__site__isnull=True, grant__in=named.values("grant"))
    return Q(facts__site__icontains=name) | of_grant


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, UTC)
