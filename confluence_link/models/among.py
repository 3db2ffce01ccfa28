"""`pk__among`: as `pk__in`, with all the numbers in one parameter on PostgreSQL.

A batch names five hundred ids; as so many parameters they cost more than the query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.lookups import In

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler


@models.AutoField.register_lookup
@models.BigAutoField.register_lookup
class Among(In):
    """Takes a set of numbers; of lists, Django looks at each member."""

    lookup_name = "among"

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", [*params, list(self.rhs)]
