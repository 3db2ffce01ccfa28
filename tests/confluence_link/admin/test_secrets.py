"""No page, search, filter or order of the admin reaches a secret (V11, V15, D02)."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.urls import reverse

from confluence_link.models import PendingLink, SealedTokenSet, UsedState

LINK = re.compile(r'href="([^"#]+)"')
CONFIRMATIONS = re.compile(r"/(logout|password_change)/")


def crawl(client):
    """Every page that links lead to from the start page, and each filter once."""
    waiting, seen = [reverse("admin:index")], set()
    while waiting:
        url = waiting.pop()
        parts = urlsplit(url)
        kind = parts.path, tuple(parse_qs(parts.query, keep_blank_values=True))
        if kind in seen or len(kind[1]) > 1 or CONFIRMATIONS.search(url):
            continue
        seen.add(kind)
        answer = client.get(url)
        text = answer.content.decode() if not answer.streaming else ""
        yield url, answer.status_code, text
        links = (
            urljoin(url, link.replace("&amp;", "&")) for link in LINK.findall(text)
        )
        waiting += [link for link in links if link.startswith("/admin/")]


def test_crawling_every_page_finds_no_secret(admin_client, canaries):
    pages = list(crawl(admin_client))

    assert len(pages) > 40
    assert [url for url, status, _ in pages if status >= 400] == []
    assert [url for url, _, text in pages if canaries in text] == []


@pytest.mark.parametrize(
    "model",
    [
        SocialApp,
        SocialToken,
        SocialAccount,
        UserSession,
        PendingLink,
        SealedTokenSet,
        UsedState,
    ],
)
def test_these_have_no_page(model):
    assert not admin.site.is_registered(model)


def test_no_registered_page_lists_searches_or_shows_a_secret_column():
    secret = re.compile(r"secret|token|password|sealed|session|\bkey\b|data\b|hash")
    for model, page in admin.site._registry.items():
        asked = [*page.list_display, *page.search_fields, *(page.ordering or ())]
        named = [str(name) for name in asked]
        assert [name for name in named if secret.search(name)] == [], model


@pytest.mark.parametrize(
    ("page", "lookup"),
    [
        ("confluence_link_oauthapp", "sealed_client_secret__startswith"),
        ("confluence_link_oauthapp", "sealed_client_secret__gt"),
        ("confluence_link_oauthapp", "sealed_client_secret"),
        ("confluence_link_oauthapp", "grants__sealed_token_set__refresh__gt"),
        ("confluence_link_grant", "sealed_token_set__refresh__startswith"),
        ("confluence_link_grant", "oauth_app__sealed_client_secret__contains"),
        ("confluence_link_grant", "user__password__startswith"),
        ("confluence_link_grant", "lease_id__startswith"),
        ("confluence_link_linkedsite", "grant__sealed_token_set__access__gt"),
        ("confluence_link_linkedsite", "linked_by__password__startswith"),
        ("confluence_link_event", "actor__password__startswith"),
        ("confluence_link_linkinvitation", "token_hash"),
        ("confluence_link_linkinvitation", "token_hash__startswith"),
        ("confluence_link_linkinvitation", "user__password__startswith"),
        ("confluence_link_serversetup", "token_hash__startswith"),
        ("confluence_link_serversetup", "oauth_app__sealed_client_secret__gt"),
        ("confluence_link_vacantsite", "former__password__startswith"),
        ("accounts_user", "password__startswith"),
        ("accounts_user", "password"),
        ("accounts_user", "usersession__session_key__startswith"),
        ("accounts_organization", "memberships__user__password__startswith"),
        ("mfa_authenticator", "data__secret__startswith"),
        ("mfa_authenticator", "data__icontains"),
        ("account_emailaddress", "user__password__startswith"),
        ("auth_group", "user__password__startswith"),
    ],
)
def test_a_lookup_of_a_column_behind_the_page_is_refused(
    admin_client, canaries, page, lookup
):
    url = reverse(f"admin:{page}_changelist")

    assert admin_client.get(url, {lookup: canaries[:4]}).status_code == 400


@pytest.mark.parametrize(
    "page",
    [
        "confluence_link_oauthapp",
        "confluence_link_grant",
        "confluence_link_linkedsite",
        "confluence_link_linkinvitation",
        "confluence_link_serversetup",
        "confluence_link_vacantsite",
        "accounts_user",
        "accounts_organization",
        "mfa_authenticator",
    ],
)
def test_a_search_for_a_secret_finds_nothing(admin_client, canaries, page):
    answer = admin_client.get(reverse(f"admin:{page}_changelist"), {"q": canaries[:12]})

    assert answer.status_code == 200
    assert answer.context["cl"].result_count == 0
