"""VaultKey: what proves later that a key id still stands for the same bytes."""

from __future__ import annotations

from django.db import models


class VaultKey(models.Model):
    """One row for each key that a process of this installation ever started with.

    Rows stay when a key leaves the ring: an id names one key for ever.
    """

    key_id = models.CharField(max_length=32, unique=True)
    # Hexadecimal, derived from the key, which cannot be found from it. Empty: the key
    # was never seen here.
    check_value = models.CharField(max_length=32, editable=False)
    first_seen_at = models.DateTimeField()
    # An operator said that it will not come back.
    lost_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key_id
