"""The vault: seals what must not be read, and opens it only in its own place.

This package alone imports cryptography. `envelopes` seals and opens, `key_ring` reads
the keys, `check_values` knows them again; the other modules say what is sealed where.
"""

from __future__ import annotations

from confluence_link.vault.check_values import (
    changed_key_ids,
    give_up,
    lost_key_ids,
    note_keys,
)
from confluence_link.vault.envelopes import (
    Binding,
    key_id_of,
    open_sealed,
    reseal,
    seal,
    sealing_key_id,
)
from confluence_link.vault.key_ring import key_ids, key_ring_problems
from confluence_link.vault.oauth_apps import (
    app_binding,
    open_client_certificate,
    open_client_secret,
    open_next_client_secret,
    open_proxy_credentials,
    seal_client_certificate,
    seal_client_secret,
    seal_next_client_secret,
    seal_proxy_credentials,
)
from confluence_link.vault.records import (
    destroy,
    key_id_of_text,
    open_access,
    open_refresh,
    open_text,
    reseal_text,
    seal_access,
    seal_refresh,
    seal_text,
    store_token_set,
    token_binding,
)

__all__ = [
    "Binding",
    "app_binding",
    "changed_key_ids",
    "destroy",
    "give_up",
    "key_id_of",
    "key_id_of_text",
    "key_ids",
    "key_ring_problems",
    "lost_key_ids",
    "note_keys",
    "open_access",
    "open_client_certificate",
    "open_client_secret",
    "open_next_client_secret",
    "open_proxy_credentials",
    "open_refresh",
    "open_sealed",
    "open_text",
    "reseal",
    "reseal_text",
    "seal",
    "seal_access",
    "seal_client_certificate",
    "seal_client_secret",
    "seal_next_client_secret",
    "seal_proxy_credentials",
    "seal_refresh",
    "seal_text",
    "sealing_key_id",
    "store_token_set",
    "token_binding",
]
