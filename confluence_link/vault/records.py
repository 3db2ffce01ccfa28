"""Token sets, and texts of tables that are not ours."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Protocol

from confluence_link.errors import VaultError
from confluence_link.models import SealedTokenSet
from confluence_link.vault.envelopes import (
    Binding,
    key_id_of,
    open_sealed,
    seal,
    sealing_key_id,
)

if TYPE_CHECKING:
    from confluence_link.models import Grant


class Place(Protocol):
    """What a token is bound to: a grant, or what somebody knows of one."""

    @property
    def public_id(self) -> str: ...

    @property
    def oauth_app_id(self) -> int: ...

    @property
    def epoch(self) -> int: ...

    @property
    def generation(self) -> int: ...


def store_token_set(grant: Grant, *, access_token: str, refresh_token: str) -> None:
    """Replaces the grant's sealed token set; the predecessor is not kept.

    For a new consent. The binding uses the epoch and generation of the object, and
    the caller saves the grant with them in the same transaction.
    """
    SealedTokenSet.objects.update_or_create(
        grant_id=grant.pk,
        defaults={
            "access": seal_access(grant, access_token),
            "refresh": seal_refresh(grant, refresh_token),
            "previous_refresh": b"",
            "previous_until": None,
            "key_id": sealing_key_id(),
        },
    )


def seal_access(
    grant: Place, access_token: str, *, generation: int | None = None
) -> bytes:
    """For the grant's own generation, or for the one that is named."""
    binding = token_binding(grant, "access_token", generation=generation)
    return seal(access_token, binding=binding)


def seal_refresh(
    grant: Place, refresh_token: str, *, generation: int | None = None
) -> bytes:
    """For the grant's own generation, or for the one that is named."""
    binding = token_binding(grant, "refresh_token", generation=generation)
    return seal(refresh_token, binding=binding)


def open_access(grant: Place, envelope: bytes | memoryview) -> str:
    return open_sealed(envelope, binding=token_binding(grant, "access_token"))


def open_refresh(grant: Place, envelope: bytes | memoryview) -> str:
    return open_sealed(envelope, binding=token_binding(grant, "refresh_token"))


def destroy(grant: Grant) -> None:
    """Erases the grant's sealed tokens from the database."""
    SealedTokenSet.objects.filter(grant_id=grant.pk).delete()


def seal_text(purpose: str, text: str, *, record: str = "") -> str:
    """Seals a text for a place that holds text, in letters that are safe in a URL."""
    sealed = seal(text, binding=Binding(purpose=purpose, table="", record=record))
    return base64.urlsafe_b64encode(sealed).decode()


def open_text(purpose: str, sealed: str, *, record: str = "") -> str:
    return open_sealed(
        _envelope_of(sealed), binding=Binding(purpose=purpose, table="", record=record)
    )


def reseal_text(purpose: str, sealed: str, *, record: str = "") -> str:
    """The same text under the first key. Raises VaultError."""
    return seal_text(purpose, open_text(purpose, sealed, record=record), record=record)


def key_id_of_text(sealed: str) -> str:
    return key_id_of(_envelope_of(sealed))


def _envelope_of(sealed: str) -> bytes:
    try:
        # The lenient decoder would skip whatever is not base64.
        return base64.b64decode(sealed, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise VaultError("damaged") from None


def token_binding(
    grant: Place, purpose: str, *, generation: int | None = None
) -> Binding:
    """Where a token of the grant's present epoch and generation belongs."""
    return Binding(
        purpose=purpose,
        table="sealed_token_set",
        record=grant.public_id,
        oauth_app=str(grant.oauth_app_id),
        epoch=grant.epoch,
        generation=grant.generation if generation is None else generation,
    )
