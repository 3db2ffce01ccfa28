"""What is sealed, kind by kind: its rows, its keys, and how it is sealed anew."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from allauth.mfa.models import Authenticator
from django.db.models import Count, QuerySet

from confluence_link import vault
from confluence_link.errors import VaultError
from confluence_link.linking.pending import binding_of
from confluence_link.models import OAuthApp, PendingLink, SealedTokenSet

if TYPE_CHECKING:
    from confluence_link.models import Grant

_AT_ONCE: Final = 2_000
# The key id of what is no envelope.
UNREADABLE: Final = ""


class Kind(ABC):
    """One sort of sealed value.

    A row is read with all that it is bound to by one statement, and written only
    where `columns` still are what was read: no two envelopes are equal, so nothing
    can have happened to the row in between.
    """

    name: str
    columns: tuple[str, ...]
    # A start waits for the keys of what stays; the others are gone within minutes.
    stays: ClassVar[bool] = True

    @abstractmethod
    def rows(self) -> QuerySet[Any]:
        """Those in which something is sealed."""

    @abstractmethod
    def key_ids(self, row: Any) -> list[str]:
        """Of each value in a row; UNREADABLE for what is no envelope."""

    @abstractmethod
    def moved(self, row: Any) -> Mapping[str, object]:
        """The columns under the first key. Raises VaultError."""

    def not_under(self, key_id: str) -> QuerySet[Any]:
        """Rows among which all are that have a value under another key."""
        return self.rows()

    def counts(self) -> Counter[str]:
        """Values by key id."""
        rows = self.rows().iterator(chunk_size=_AT_ONCE)
        return Counter(key_id for row in rows for key_id in self.key_ids(row))

    def counts_beyond(self, known: Iterable[str]) -> Counter[str]:
        """Values under other keys than these."""
        counts = self.counts()
        for key_id in (*known, UNREADABLE):
            counts.pop(key_id, None)
        return counts


class TokenSets(Kind):
    """Access and refresh tokens; an index answers for a million of them."""

    name = "token sets"
    columns = ("access", "refresh")

    def rows(self) -> QuerySet[Any]:
        return SealedTokenSet.objects.select_related("grant").only(
            *self.columns, "key_id", *_OF_GRANT
        )

    def key_ids(self, row: SealedTokenSet) -> list[str]:
        return [row.key_id]

    def moved(self, row: SealedTokenSet) -> Mapping[str, object]:
        return {
            "access": _resealed_token(row.grant, "access_token", row.access),
            "refresh": _resealed_token(row.grant, "refresh_token", row.refresh),
            "key_id": vault.sealing_key_id(),
        }

    def not_under(self, key_id: str) -> QuerySet[Any]:
        return self.rows().exclude(key_id=key_id)

    def counts(self) -> Counter[str]:
        # Of anything but rows the table would have to be read, not its index.
        by_key = SealedTokenSet.objects.values_list("key_id").annotate(rows=Count("*"))
        return Counter(dict(by_key.order_by()))

    def counts_beyond(self, known: Iterable[str]) -> Counter[str]:
        of_key = SealedTokenSet.objects.filter
        strange = _used_key_ids() - set(known)
        return Counter({key_id: of_key(key_id=key_id).count() for key_id in strange})


class RetiredRefreshTokens(Kind):
    """Kept until the other side's leeway is over, and erased then."""

    name = "retired refresh tokens"
    columns = ("previous_refresh",)
    stays = False

    def rows(self) -> QuerySet[Any]:
        kept = SealedTokenSet.objects.filter(previous_until__isnull=False)
        return kept.select_related("grant").only(*self.columns, *_OF_GRANT)

    def key_ids(self, row: SealedTokenSet) -> list[str]:
        return [_key_id_of(row.previous_refresh)]

    def moved(self, row: SealedTokenSet) -> Mapping[str, object]:
        present = vault.token_binding(row.grant, "refresh_token")
        before = present._replace(generation=present.generation - 1)
        return {"previous_refresh": vault.reseal(row.previous_refresh, binding=before)}


class AppSecrets(Kind):
    """One sealed column of the OAuth apps."""

    def __init__(self, purpose: str, name: str) -> None:
        self.name = name
        self.columns = (f"sealed_{purpose}",)
        self._purpose = purpose

    def rows(self) -> QuerySet[Any]:
        there = OAuthApp.objects.exclude(**{self.columns[0]: b""})
        return there.only("provider_id", *self.columns)

    def key_ids(self, row: OAuthApp) -> list[str]:
        return [_key_id_of(getattr(row, self.columns[0]))]

    def moved(self, row: OAuthApp) -> Mapping[str, object]:
        (column,) = self.columns
        binding = vault.app_binding(row, self._purpose)
        return {column: vault.reseal(getattr(row, column), binding=binding)}


class PendingLinks(Kind):
    """They wait for their person for 15 minutes."""

    name = "pending links"
    columns = ("sealed_token_set",)
    stays = False

    def rows(self) -> QuerySet[Any]:
        return PendingLink.objects.only("public_id", "oauth_app", *self.columns)

    def key_ids(self, row: PendingLink) -> list[str]:
        return [_key_id_of(row.sealed_token_set)]

    def moved(self, row: PendingLink) -> Mapping[str, object]:
        sealed = vault.reseal(row.sealed_token_set, binding=binding_of(row))
        return {"sealed_token_set": sealed}


class SecondFactors(Kind):
    """TOTP secrets and recovery seeds, as texts within allauth's JSON."""

    name = "second factors"
    columns = ("data",)

    def rows(self) -> QuerySet[Any]:
        with_secrets = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
        rows: QuerySet[Any] = Authenticator.objects.filter(type__in=with_secrets)
        return rows.only(*self.columns)

    def key_ids(self, row: Authenticator) -> list[str]:
        found: list[str] = []

        def look(sealed: str) -> str:
            found.append(_key_id_of_text(sealed))
            return sealed

        _each_text(row.data, look)
        return found

    def moved(self, row: Authenticator) -> Mapping[str, object]:
        return {"data": _each_text(row.data, _resealed_factor)}


KINDS: Final[tuple[Kind, ...]] = (
    TokenSets(),
    RetiredRefreshTokens(),
    AppSecrets("client_secret", "client secrets"),
    AppSecrets("next_client_secret", "next client secrets"),
    AppSecrets("client_certificate", "client certificates"),
    AppSecrets("proxy_credentials", "proxy credentials"),
    PendingLinks(),
    SecondFactors(),
)
# What a token is bound to, read in one statement with it.
_OF_GRANT: Final = (
    "grant__public_id",
    "grant__oauth_app",
    "grant__epoch",
    "grant__generation",
)


def _resealed_token(grant: Grant, purpose: str, envelope: bytes | memoryview) -> bytes:
    return vault.reseal(envelope, binding=vault.token_binding(grant, purpose))


def _used_key_ids() -> set[str]:
    """One step along the index for each key, however many rows it has."""
    found: set[str] = set()
    key_ids = SealedTokenSet.objects.order_by("key_id").values_list("key_id", flat=True)
    after = key_ids.first()
    while after is not None:
        found.add(after)
        after = key_ids.filter(key_id__gt=after).first()
    return found


def _each_text(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """allauth's data with each sealed text changed; see its `mfa` package."""
    changed = dict(data)
    for name in ("secret", "seed"):
        if name in data:
            changed[name] = change(data[name])
    if data.get("migrated_codes"):
        changed["migrated_codes"] = [change(code) for code in data["migrated_codes"]]
    return changed


def _resealed_factor(sealed: str) -> str:
    return vault.reseal_text("mfa", sealed)


def _key_id_of(envelope: bytes | memoryview) -> str:
    try:
        return vault.key_id_of(envelope)
    except VaultError:
        return UNREADABLE


def _key_id_of_text(sealed: str) -> str:
    try:
        return vault.key_id_of_text(sealed)
    except VaultError:
        return UNREADABLE
