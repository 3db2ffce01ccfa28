"""The first wall between organizations: how rows are asked for by organization.

Pages and the API find what belongs to an organization through the methods of its
QuerySet, and never filter by organization themselves: so each way there is stands in
one place, next to the model. The second wall is `accounts.isolation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db import models

if TYPE_CHECKING:
    from typing import Self

    from accounts.models import Organization

M = TypeVar("M", bound=models.Model)


class ScopedQuerySet(models.QuerySet[M]):
    """Of rows that belong to one organization each."""

    def for_organization(self, organization: Organization | int) -> Self:
        """All that it has; which of it somebody may see is another question."""
        return self.filter(organization=organization)
