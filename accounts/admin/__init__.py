"""The admin's pages about people; and what every admin page of ours keeps to.

people          who they are, what they sign in with
organizations   organizations with their members; invitations and keys
strict          no page answers to more than its own filters
"""

from __future__ import annotations

from accounts.admin.organizations import OrganizationAdmin
from accounts.admin.people import UserAdmin
from accounts.admin.strict import M, ReadOnlyAdmin, StrictAdmin, staff

__all__ = [
    "M",
    "OrganizationAdmin",
    "ReadOnlyAdmin",
    "StrictAdmin",
    "UserAdmin",
    "staff",
]
