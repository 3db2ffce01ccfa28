"""What happens to people and organizations, told to whoever keeps the record.

The record itself belongs to the product, which this package does not know.
"""

from __future__ import annotations

from django.dispatch import Signal

# Sent inside the transaction, with `kind` (such as "member.joined"), `organization`,
# `actor` (None: nobody signed in) and `facts` (small, never secret).
happened = Signal()
