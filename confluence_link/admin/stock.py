"""allauth's own pages for apps, tokens and accounts are taken away.

Apps are `OAuthApp` rows here, tokens live in the vault, and an account is seen
through its grant; the stock pages would show secrets and invite edits that lie.
"""

from __future__ import annotations

# Importing from allauth's admin module registers its pages, so that there is
# something to take away.
from allauth.socialaccount.admin import SocialAccount, SocialApp, SocialToken
from django.contrib import admin

admin.site.unregister((SocialAccount, SocialApp, SocialToken))
