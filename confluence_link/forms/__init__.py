"""What people type into our pages.

pages     a page of Confluence; the name of what is about to be deleted
asking    who is asked to link an account, or to take a site over
servers   what every form of a server's settings keeps to
"""

from __future__ import annotations

from confluence_link.forms.asking import (
    AdopterForm,
    AdoptersForm,
    LinkInvitationForm,
)
from confluence_link.forms.pages import CreatePageForm, TypedNameForm, posted
from confluence_link.forms.servers import CaBundleIsShownAgain, Unechoed

__all__ = [
    "AdopterForm",
    "AdoptersForm",
    "CaBundleIsShownAgain",
    "CreatePageForm",
    "LinkInvitationForm",
    "TypedNameForm",
    "Unechoed",
    "posted",
]
