"""The emergency file: a sealed answer that could not be stored (design 6, I3).

One file per answer, `<grant>.<epoch>.<generation>.sealed`, written and synced before
the store is tried again. It holds what the vault sealed, bound to the generation that
it follows; it is imported by the next sweep or batch on this machine.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings

from confluence_link import failpoints, vault
from confluence_link.errors import VaultError
from confluence_link.models import Grant
from confluence_link.tokens import TokenSet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME_DOTS = 3


def keep(grant: Grant, token_set: TokenSet, *, asked_at: datetime) -> None:
    """Writes the answer to `grant`'s current generation, once.

    `asked_at` is when the exchange began, by the database's clock: the tokens may be
    old when they are imported.
    """
    path = _path(grant)
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = vault.seal(
        json.dumps(
            {
                "access_token": token_set.access_token,
                "refresh_token": token_set.refresh_token,
                "expires_in_seconds": token_set.expires_in_seconds,
                "scopes": token_set.scopes,
                "asked_at": asked_at.isoformat(),
            }
        ),
        binding=_binding(grant),
    )
    draft = path.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    failpoints.reach("spooled")


def forget(grant: Grant) -> None:
    """Removes the file of `grant`'s generation, if there is one."""
    _remove(_path(grant))


def _remove(path: Path) -> None:
    # A file that stays is looked at again, and is of no generation that is to come.
    with suppress(OSError):
        path.unlink()


def follows(grant: Grant) -> bool:
    """Whether an answer to `grant`'s generation could still be its successor."""
    return Grant.objects.filter(
        pk=grant.pk,
        epoch=grant.epoch,
        generation=grant.generation,
        sealed_token_set__isnull=False,
    ).exists()


def kept() -> Iterator[tuple[Grant, TokenSet, datetime]]:
    """The answers that still follow the current generation, and when they were asked.

    Files of grants that moved on are removed. One that does not open stays: its key
    may come back, or another user of this machine may read it.
    """
    for path in sorted(settings.CONFLUENCE_LINK_SPOOL_DIR.glob("*.sealed")):
        if path.name.count(".") != _NAME_DOTS:
            continue
        public_id, epoch, generation, _ = path.name.split(".")
        grant = (
            Grant.objects.filter(
                public_id=public_id,
                epoch=epoch,
                generation=generation,
                sealed_token_set__isnull=False,
            )
            .select_related("oauth_app")
            .first()
        )
        if grant is None:
            _remove(path)
            continue
        opened = _open(path, grant)
        if opened is not None:
            yield grant, *opened


def key_ids() -> list[str]:
    """The key of each answer that lies here; empty for what is no envelope."""
    found = []
    for path in settings.CONFLUENCE_LINK_SPOOL_DIR.glob("*.sealed"):
        try:
            found.append(vault.key_id_of(path.read_bytes()))
        except VaultError:
            found.append("")
        except FileNotFoundError:
            # Imported at this moment.
            continue
    return found


def _open(path: Path, grant: Grant) -> tuple[TokenSet, datetime] | None:
    try:
        content = json.loads(
            vault.open_sealed(path.read_bytes(), binding=_binding(grant))
        )
    except (VaultError, OSError):
        return None
    scopes = content["scopes"]
    token_set = TokenSet(
        access_token=content["access_token"],
        refresh_token=content["refresh_token"],
        expires_in_seconds=content["expires_in_seconds"],
        scopes=None if scopes is None else tuple(scopes),
    )
    return token_set, datetime.fromisoformat(content["asked_at"])


def _path(grant: Grant) -> Path:
    directory: Path = settings.CONFLUENCE_LINK_SPOOL_DIR
    name = f"{grant.public_id}.{grant.epoch}.{grant.generation}.sealed"
    return directory / name


def _binding(grant: Grant) -> vault.Binding:
    return vault.Binding(
        purpose="spool",
        table="grant",
        record=grant.public_id,
        oauth_app=str(grant.oauth_app_id),
        epoch=grant.epoch,
        generation=grant.generation,
    )
