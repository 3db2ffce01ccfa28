"""Sessions end with the account: at once, wherever the person is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.usersessions.models import UserSession
from django.db.models.signals import post_save, pre_delete
from django.dispatch import receiver

from accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Collection


def end_all(user: User) -> None:
    for session in UserSession.objects.filter(user=user):
        session.end()


@receiver(post_save, sender=User)
def end_with_deactivation(
    instance: User, update_fields: Collection[str] | None, **kwargs: object
) -> None:
    """Django asks at every request as well; but no session comes back with them."""
    is_about_it = update_fields is None or "is_active" in update_fields
    if is_about_it and not instance.is_active:
        end_all(instance)


@receiver(pre_delete, sender=User)
def end_with_deletion(instance: User, **kwargs: object) -> None:
    end_all(instance)
