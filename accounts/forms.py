"""Forms about people and organizations; and allauth's where ours must differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.forms import LoginForm, SignupForm
from allauth.core import context
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.utils import decrypt, encrypt
from django import forms

from accounts import invited
from accounts.mails import one_line
from accounts.models import Membership, Organization, ServiceKey
from accounts.service_keys import SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Membership.Role


class _NamedForm(forms.Form):
    """Keeps a name to one line."""

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError("Enter a name that can be read.")
        return name


class OrganizationForm(_NamedForm):
    """An organization's name, in one line."""

    name = forms.CharField(max_length=Organization._meta.get_field("name").max_length)


class InviteForm(forms.Form):
    """Whom, and as what: the roles that the inviter may offer."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.MEMBER)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, membership: Membership
    ) -> None:
        super().__init__(data)
        # Any role is read: that one is above the inviter's own is not a typing error.
        _offer(
            self.fields["role"], [role for role in Role if membership.may_give(role)]
        )


class ServiceKeyForm(_NamedForm):
    """A key for services: its name, what it may do, and for how long."""

    name = forms.CharField(
        max_length=ServiceKey._meta.get_field("name").max_length,
        help_text="Which service has it, so that you find it again.",
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=list(SCOPES.items()),
        initial=list(SCOPES),
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.ChoiceField(
        label="How long it works",
        choices=[
            ("30", "30 days"),
            ("90", "90 days"),
            ("365", "a year"),
            ("0", "no end"),
        ],
        initial="90",
    )


class RoleForm(forms.Form):
    """Another role for a member, of those that who acts may give."""

    role = forms.ChoiceField(choices=Role.choices)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        acting: Membership,
        target: Membership,
    ) -> None:
        super().__init__(data, initial={"role": target.role})
        may_take = acting.may_give(target.role)
        self.offered = [role for role in Role if may_take and acting.may_give(role)]
        _offer(self.fields["role"], self.offered)


def _offer(field: forms.Field, roles: list[Membership.Role]) -> None:
    assert isinstance(field.widget, forms.Select)
    # Most people are members: what comes first is what a slip gives.
    field.widget.choices = [(role.value, role.label) for role in reversed(roles)]


class InvitedLoginForm(LoginForm):  # type: ignore[misc]  # allauth is untyped
    """Knows the address of who comes by an invitation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].initial = invited.address(context.request)


class InvitedSignupForm(SignupForm):  # type: ignore[misc]  # allauth is untyped
    """Knows the address of who comes by an invitation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].initial = invited.address(context.request)


class SealedActivateTOTPForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth is untyped
    """Keeps the new secret sealed in the session until it is activated.

    allauth writes it there in clear, and sessions lie in the database.
    """

    secret: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        offered = session.get(SECRET_SESSION_KEY)
        super().__init__(*args, **kwargs)
        if self.secret == offered:
            self.secret = decrypt(offered)
        else:
            session[SECRET_SESSION_KEY] = encrypt(self.secret)
