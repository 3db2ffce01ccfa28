"""The first wall: whoever shows rows asks for them through their QuerySets."""

from __future__ import annotations

import ast
from pathlib import Path

from django.apps import apps

from accounts.models import Organization
from accounts.scoping import ScopedQuerySet
from confluence_link.models import Event, OAuthApp

ROOT = Path(__file__).parent.parent
# What answers requests of people and services; the admin works across organizations.
ASKING = [
    path
    for folder in ("views", "api", "forms")
    for path in ROOT.glob(f"*/{folder}/**/*.py")
] + [ROOT / "accounts/forms.py"]
ASKS = {"filter", "exclude", "get", "get_object_or_404", "get_or_create"}
# Not every row of these belongs to an organization: they have methods of their own.
SOME_ARE_NOBODYS = {Event, OAuthApp}


def name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def own_filters(path):
    tree = ast.parse(path.read_text())
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        names = {keyword.arg for keyword in call.keywords}
        if name_of(call) in ASKS and names & {"organization", "organization_id"}:
            yield f"{path.relative_to(ROOT)}:{call.lineno}"


def test_no_page_filters_by_organization_itself():
    assert len(ASKING) > 30
    assert [found for path in ASKING for found in own_filters(path)] == []


def test_a_filter_of_its_own_would_be_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    page = tmp_path / "page.py"
    page.write_text("Site.objects.filter(organization=1)\nlinks.open(organization=1)\n")

    assert list(own_filters(page)) == ["page.py:1"]


def test_whatever_belongs_to_an_organization_can_be_asked_for_by_it():
    own = {
        model
        for model in apps.get_models()
        if any(field.related_model is Organization for field in model._meta.fields)
    }

    assert own > SOME_ARE_NOBODYS
    for model in own - SOME_ARE_NOBODYS:
        assert isinstance(model.objects.all(), ScopedQuerySet), model
