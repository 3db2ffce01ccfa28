"""Everything that is stored about a person, for that person. Nothing that opens doors.

Each way from a row to a person is listed with the columns that are told: a new one
that is not fails a test. Tokens, hashes of tokens, keys and second factors' secrets
are in no list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from allauth.account.models import EmailAddress
from django.apps import apps

from accounts.isolation import across_organizations

if TYPE_CHECKING:
    from accounts.models import User

_DATES: Final = ("created_at", "expires_at")

# "app.Model.field": the columns of those of its rows that lead to the person.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "account.EmailAddress.user": ("email", "verified", "primary"),
    "usersessions.UserSession.user": (
        "created_at",
        "last_seen_at",
        "ip",
        "user_agent",
    ),
    "mfa.Authenticator.user": ("type", "created_at", "last_used_at"),
    "socialaccount.SocialAccount.user": (
        "provider",
        "uid",
        "date_joined",
        "last_login",
    ),
    "accounts.User_groups.user": ("group__name",),
    "accounts.User_user_permissions.user": ("permission__codename",),
    "accounts.Membership.user": (
        "organization__name",
        "organization__slug",
        "role",
        "created_at",
    ),
    "accounts.Invitation.invited_by": (
        "organization__name",
        "email",
        "role",
        *_DATES,
        "accepted_at",
        "revoked_at",
    ),
    "accounts.ServiceKey.created_by": (
        "organization__name",
        "name",
        "scopes",
        *_DATES,
        "last_used_at",
        "revoked_at",
    ),
    "confluence_link.Grant.user": (
        "oauth_app__name",
        "account_id",
        "account_name",
        "scopes",
        "sites",
        "status",
        "death_reason",
        "consented_at",
        "last_rotated_at",
        "last_used_at",
    ),
    "confluence_link.LinkedSite.grant__user": (
        "organization__name",
        "public_id",
        "name",
        "label",
        "url",
        "scopes",
        "shared",
        "status",
        "created_at",
    ),
    "confluence_link.LinkedSite.linked_by": (
        "organization__name",
        "public_id",
        "name",
        "created_at",
    ),
    "confluence_link.PendingLink.user": (
        "organization__name",
        "oauth_app__name",
        "account_id",
        "account_name",
        "scopes",
        "sites",
        "created_at",
    ),
    "confluence_link.VacantSite.former": (
        "organization__name",
        "name",
        "url",
        "vacated_at",
    ),
    "confluence_link.VacantSite.adopter": (
        "organization__name",
        "name",
        "url",
        "vacated_at",
    ),
    "confluence_link.LinkInvitation.user": (
        "organization__name",
        "oauth_app__name",
        *_DATES,
        "used_at",
        "revoked_at",
    ),
    "confluence_link.LinkInvitation.invited_by": (
        "organization__name",
        "oauth_app__name",
        *_DATES,
        "used_at",
        "revoked_at",
    ),
    "confluence_link.ServerSetup.invited_by": (
        "organization__name",
        "oauth_app__name",
        "email",
        *_DATES,
        "used_at",
        "revoked_at",
    ),
    "confluence_link.Event.actor": ("at", "kind", "organization__name", "facts"),
    "confluence_link.Event.grant__user": ("at", "kind", "facts"),
    "admin.LogEntry.user": (
        "action_time",
        "content_type__model",
        "object_repr",
        "action_flag",
    ),
}

# The same of rows that name a person by an address that they have proved.
BY_ADDRESS: Final[dict[str, tuple[str, ...]]] = {
    "accounts.Invitation.email": (
        "organization__name",
        "role",
        *_DATES,
        "accepted_at",
        "revoked_at",
    ),
    "confluence_link.ServerSetup.email": (
        "organization__name",
        "oauth_app__name",
        *_DATES,
        "used_at",
        "revoked_at",
    ),
    "confluence_link.Event.facts__who": ("at", "kind", "organization__name", "facts"),
}

PERSON: Final = (
    "email",
    "first_name",
    "last_name",
    "is_active",
    "is_staff",
    "is_superuser",
    "date_joined",
    "last_login",
)


@across_organizations()
def own_data(user: User) -> dict[str, Any]:
    """Ready for JSON with Django's encoder."""
    rows = {path: _rows(path, columns, user) for path, columns in COLUMNS.items()}
    addresses = _addresses(user)
    rows |= {
        path: _rows(f"{path}__in", columns, addresses)
        for path, columns in BY_ADDRESS.items()
    }
    return {"person": {name: getattr(user, name) for name in PERSON}, **rows}


def _addresses(user: User) -> list[str]:
    """Proved ones, as they are and in lower case: both are written down."""
    proved = EmailAddress.objects.filter(user=user, verified=True)
    own = set(proved.values_list("email", flat=True))
    return sorted(own | {address.lower() for address in own})


def _rows(path: str, columns: tuple[str, ...], value: object) -> list[dict[str, Any]]:
    app, model, field = path.split(".")
    found = apps.get_model(app, model)._default_manager.filter(**{field: value})
    return list(found.order_by("pk").values(*columns))
