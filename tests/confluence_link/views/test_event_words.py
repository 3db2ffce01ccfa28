"""Every kind of event has words, whatever its facts are."""

from __future__ import annotations

import pytest

from confluence_link.models import Event, database_now
from confluence_link.views import event_words
from confluence_link.views.audit_filter import GROUPS, kinds_of

kinds = pytest.mark.parametrize("kind", list(Event.Kind))
NAMES = ("site", "title", "who", "role", "was", "server", "name", "app", "changed")


def event(kind, **facts):
    return Event(kind=kind, at=database_now(), facts=facts)


def test_every_kind_has_a_title():
    assert set(event_words.TITLES) == set(Event.Kind)


def test_every_kind_is_in_one_group_of_the_filter():
    grouped = [kind for group in GROUPS for kind in kinds_of(group)]

    assert sorted(grouped) == sorted(Event.Kind.values)


@kinds
def test_an_event_without_facts_has_words(db, kind):
    title = event_words.title_of(event(kind))

    assert title
    assert "{" not in title + event_words.detail_of(event(kind))


@kinds
def test_an_event_with_every_fact_has_words(db, kind):
    full = event(kind, **{name: f"the {name}" for name in NAMES})

    assert "{" not in event_words.title_of(full) + event_words.detail_of(full)


@kinds
@pytest.mark.parametrize("fact", ["{0.__class__}", "", None, 7, ["a", "b"], {"a": 1}])
def test_h13_no_fact_breaks_the_words(db, kind, fact):
    odd = event(kind, **dict.fromkeys(NAMES, fact))

    assert event_words.title_of(odd)
    assert "<class" not in event_words.title_of(odd) + event_words.detail_of(odd)


def test_a_changed_role_says_what_it_was(db):
    changed = event(Event.Kind.ROLE_CHANGED, who="a@b.example", role="admin", was="x")

    assert event_words.title_of(changed) == "a@b.example is now admin"
    assert event_words.detail_of(changed) == "Before: x."


def test_a_changed_server_says_what_was_changed(db):
    changed = event(Event.Kind.SERVER_CHANGED, server="Wiki", changed=["name", "proxy"])

    assert event_words.detail_of(changed) == "Changed: name, proxy."
