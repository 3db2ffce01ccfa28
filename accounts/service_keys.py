"""Keys with which an organization's services call: made, shown once, checked, ended.

A key is `clk_<12 hexadecimal digits>_<43 random characters>`. What stands before the
second underscore is its prefix, which finds the row and tells nothing; the row has a
SHA-256 of the whole, which is enough for 256 random bits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery

from accounts.happenings import tell
from accounts.isolation import across_organizations
from accounts.models import Membership, ServiceKey
from accounts.rights import ROLES_WITH, Right

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Organization, User

# What a key may be allowed, in words for people.
SCOPES: Final[dict[str, str]] = {
    "sites:read": "See which sites are shared",
    "sites:token": "Get access tokens for them",
}
_PREFIX_CHARACTERS: Final = 16
_FORM: Final = re.compile(r"clk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", re.ASCII)
# Compared with where no row is found: nothing has this hash.
_NOBODYS: Final = "0" * 64
USED_EVERY: Final = timedelta(seconds=60)


def of_organization(organization: Organization) -> QuerySet[ServiceKey]:
    """Every key there ever was, with the role that its maker has now."""
    return _with_maker(ServiceKey.objects.for_organization(organization))


@transaction.atomic
def make(
    *,
    organization: Organization,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    actor: User,
    now: datetime,
) -> tuple[ServiceKey, str]:
    """The row and the key itself, which nobody can ever read again.

    Raises PermissionDenied if the maker has lost the right meanwhile.
    """
    _check_may_make(organization, actor)
    prefix = f"clk_{secrets.token_hex(6)}"
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = ServiceKey.objects.create(
        organization=organization,
        name=name,
        prefix=prefix,
        key_hash=_digest(key),
        scopes=[scope for scope in SCOPES if scope in scopes],
        created_by=actor,
        created_at=now,
        expires_at=expires_at,
    )
    _tell("key.made", row, actor)
    return row, key


@transaction.atomic
def revoke(*, key: ServiceKey, actor: User, now: datetime) -> None:
    """Ends it with the next request; one that has ended stays as it is."""
    if ServiceKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        _tell("key.revoked", key, actor)


@across_organizations()
def authenticate(presented: str, *, now: datetime) -> ServiceKey | None:
    """The living key that was presented, with its organization; else None.

    Whatever is wrong (no such prefix, another secret, revoked, expired, its maker
    gone), the way is the same: one query, one hash, one comparison in constant time.
    """
    key = _with_maker(ServiceKey.objects.filter(prefix=_prefix(presented))).first()
    expected = _NOBODYS if key is None else key.key_hash
    is_same = hmac.compare_digest(_digest(presented), expected)
    if key is None or not is_same or state_of(key, now) != "alive":
        return None
    _mark_used(key, now)
    return key


def state_of(key: ServiceKey, now: datetime) -> str:
    """alive, revoked, expired or resting, of a row that has its maker's role.

    A key rests while its maker could not make it: it never may more than they do.
    """
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    role = key.maker_role  # type: ignore[attr-defined]  # of `_with_maker`
    stands = key.created_by.is_active and key.organization.is_active
    return "alive" if stands and role in ROLES_WITH[Right.MAKE_KEYS] else "resting"


@across_organizations()
def told_of(text: str) -> ServiceKey | None:
    """The key that stands somewhere in a text, where no key should be."""
    found = _FORM.search(text)
    if found is None:
        return None
    key = ServiceKey.objects.filter(prefix=_prefix(found[0])).first()
    is_real = key is not None and hmac.compare_digest(_digest(found[0]), key.key_hash)
    return key if is_real else None


def looks_like_one(text: str) -> bool:
    """Whether something of the form of a key stands in a text."""
    return _FORM.search(text) is not None


@across_organizations()
def record_exposed(key: ServiceKey) -> None:
    """Tells the organization that its key was in an address, which others may log."""
    _tell("key.exposed", key, None)


def _check_may_make(organization: Organization, actor: User) -> None:
    """Until the transaction ends they stay a member: what ends that ends the key."""
    members = Membership.objects.for_organization(organization)
    acting = members.select_for_update(of=("self",)).filter(user=actor).first()
    if acting is None or not acting.may(Right.MAKE_KEYS):
        raise PermissionDenied


def _with_maker(rows: QuerySet[ServiceKey]) -> QuerySet[ServiceKey]:
    memberships = Membership.objects.filter(
        organization=OuterRef("organization"), user=OuterRef("created_by")
    )
    role = Subquery(memberships.values("role"))
    with_role = rows.annotate(maker_role=role)
    return with_role.select_related("organization", "created_by")


def _prefix(presented: str) -> str:
    """Empty, which no row has, for what has not the form of a key."""
    return presented[:_PREFIX_CHARACTERS] if _FORM.fullmatch(presented) else ""


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def _mark_used(key: ServiceKey, now: datetime) -> None:
    """At most once a minute: it informs, and nothing depends on it."""
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    if key.last_used_at is None or now - key.last_used_at > USED_EVERY:
        ServiceKey.objects.filter(long_ago, pk=key.pk).update(last_used_at=now)


def _tell(kind: str, key: ServiceKey, actor: User | None) -> None:
    facts = {"name": key.name, "prefix": key.prefix}
    tell(kind, organization=key.organization, actor=actor, **facts)
