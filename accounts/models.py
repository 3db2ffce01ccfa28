"""People, organizations, and who may come in. Confluence is not known here."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models, transaction
from django.urls import reverse
from django.utils.text import slugify

from accounts.happenings import tell
from accounts.isolation import across_organizations
from accounts.mailed_links import MailedLinkQuerySet
from accounts.rights import ROLES_WITH, Right
from accounts.scoping import ScopedQuerySet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.mailed_links import MailedLink


def random_public_id() -> str:
    """96 random bits, safe in a URL: what names a row to the outside."""
    return secrets.token_urlsafe(12)


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address; there is no username."""

    use_in_migrations = True

    def create_user(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        rights: Mapping[str, Any] = {"is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **{**rights, **fields})


class User(AbstractUser):
    """A person who signs in with an e-mail address."""

    username = None  # type: ignore[assignment]  # removed from Django's model
    email = models.EmailField("e-mail address", unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]  # ours

    def __str__(self) -> str:
        return self.email


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def of(self, user: User) -> OrganizationQuerySet:
        """The active ones that the person is a member of."""
        return self.filter(memberships__user=user, is_active=True)

    @across_organizations()
    def own_of(self, user: User) -> Organization:
        """The person's first organization, made now if there is none."""
        own = self.of(user).order_by("memberships__pk").first()
        if own is not None:
            return own
        name = f"{user.email.partition('@')[0][:60]}'s organization"
        return self.found(name=name, owner=user)

    @across_organizations()
    @transaction.atomic
    def found(self, *, name: str, owner: User) -> Organization:
        """A new one, with its owner from the first moment."""
        made = self.create(name=name, slug=new_slug(name))
        Membership.objects.create(
            organization=made, user=owner, role=Membership.Role.OWNER
        )
        tell("organization.created", organization=made, actor=owner, name=name)
        return made


def new_slug(name: str) -> str:
    """The name in URL letters, with 24 random bits so that names may repeat."""
    return f"{slugify(name)[:40] or 'organization'}-{secrets.token_hex(3)}"


class Organization(models.Model):
    """Our tenant: what uses linked sites."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Without it nobody gets in, and nothing is handed out or refreshed"
        " for it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("confluence_link:organization", args=[self.slug])

    @transaction.atomic
    def rename(self, name: str, *, actor: User) -> None:
        """The slug stays: it is in every address that people keep.

        Nothing happens if somebody deleted it meanwhile.
        """
        was, self.name = self.name, name
        if not Organization.objects.filter(pk=self.pk).update(name=name):
            return
        facts = {"name": name, "was": was}
        tell("organization.changed", organization=self, actor=actor, **facts)


class MembershipQuerySet(ScopedQuerySet["Membership"]):
    def in_force(self) -> MembershipQuerySet:
        """Of people who may sign in, where the organization is not switched off."""
        return self.filter(user__is_active=True, organization__is_active=True)

    def of_sender(self, link: MailedLink) -> Membership | None:
        """Of who sent it, as it is now; None once they could send nothing there."""
        here = self.in_force().for_organization(link.organization_id)
        return here.filter(user=link.invited_by_id).first()


class Membership(models.Model):
    """A person in an organization, with a role."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"

    public_id = models.CharField(
        max_length=20, unique=True, default=random_public_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "user"], name="one_membership_per_person"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}, {self.role}"

    def may(self, right: Right) -> bool:
        """Whether the role has this right; the one table is in `accounts.rights`."""
        return self.role in ROLES_WITH[right]

    def may_give(self, role: str) -> bool:
        """Whether it may give others this role, offer it, and take it away."""
        owning = role == Membership.Role.OWNER
        return self.may(Right.OWN if owning else Right.INVITE)


class InvitationQuerySet(MailedLinkQuerySet["Invitation"]):
    used_at = "accepted_at"


class Invitation(models.Model):
    """A way into an organization for one address, once. The token is in a mail only."""

    public_id = models.CharField(
        max_length=20, unique=True, default=random_public_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="invitations"
    )
    # In lower case.
    email = models.EmailField("e-mail address")
    role = models.CharField(max_length=10, choices=Membership.Role)
    # SHA-256 of the token, hexadecimal.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    # It is worth nothing without them: who left invites nobody any more.
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.email}, {self.role}"


class ServiceKey(models.Model):
    """An organization's key for its services. The key itself is shown once."""

    public_id = models.CharField(
        max_length=20, unique=True, default=random_public_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="service_keys"
    )
    name = models.CharField(max_length=100)
    # What the key begins with: it finds the row, and tells nothing.
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    # SHA-256 of the whole key, hexadecimal; a key has 256 random bits.
    key_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    # A key ends with its maker's membership.
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet["ServiceKey"].as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
