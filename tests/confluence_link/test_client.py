"""The client of one linked site, against the sandbox: the same on both deployments."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
import requests

from confluence_link.atlassian import from_plain_text, to_safe_html
from confluence_link.client import ConfluenceClient, text_query
from confluence_link.errors import (
    Conflict,
    NotFound,
    NotPermitted,
    RateLimited,
    ReauthorizationRequired,
    Rejected,
    ScopeMissing,
    Unavailable,
)
from confluence_link.http import Deadline
from confluence_link.models import Grant, LinkedSite, database_now
from tests import grants

CALLS, REFRESHED = "request.api", "exchange.refresh_token.ok"


def site_of(grant):
    return LinkedSite.objects.select_related("grant__oauth_app").get(grant=grant)


@pytest.fixture(params=["cloud", "data_center"])
def deployment(request):
    return request.param


@pytest.fixture
def part(sandbox, deployment):
    return getattr(sandbox, deployment)


@pytest.fixture
def linked_site(request, deployment):
    return site_of(request.getfixturevalue(f"{deployment}_grant"))


@pytest.fixture
def slept():
    """How long the client waited, in seconds; the test itself does not."""
    return []


@pytest.fixture
def client(linked_site, slept):
    with ConfluenceClient.for_linked_site(linked_site, sleep=slept.append) as client:
        yield client


# --- the calls ----------------------------------------------------------------------


def test_the_current_user_is_the_account_that_was_linked(client, linked_site):
    user = client.current_user()

    assert user.account_id == linked_site.grant.account_id
    assert user.name == linked_site.grant.account_name


def test_all_spaces_come_one_slice_after_the_other(client, part, deployment):
    keys = [space.key for space in client.spaces()]

    assert len(keys) == len(set(keys)) == {"cloud": 61, "data_center": 31}[deployment]
    assert "TEAM" in keys


def test_spaces_are_asked_for_as_they_are_wanted(linked_site, part, monkeypatch):
    monkeypatch.setattr("confluence_link.client.LARGEST_LIMIT", 10)
    client = ConfluenceClient.for_linked_site(linked_site)
    before = part.statistics[CALLS]

    assert len(list(itertools.islice(client.spaces(), 11))) == 11

    assert part.statistics[CALLS] == before + 2


def test_a_slice_leads_to_the_next(client):
    first = client.spaces_slice(limit=10)
    second = client.spaces_slice(first.next_cursor, limit=10)

    assert len(first.items) == len(second.items) == 10
    assert not {space.key for space in first.items} & {s.key for s in second.items}


def test_the_last_slice_has_no_cursor(client):
    assert client.spaces_slice(limit=1000).next_cursor == ""


def test_a_space_is_found_by_key_and_by_id(client):
    space = client.space("TEAM")

    assert space.name == "Team space"
    assert client.space(space.space_id) == space


def test_a_space_that_is_not_there_is_not_found(client):
    with pytest.raises(NotFound):
        client.space("NOWHERE")
    with pytest.raises(NotFound):
        list(client.pages("NOWHERE"))


def test_the_pages_of_a_space_by_itself_or_by_its_key(client):
    by_space = list(client.pages(client.space("TEAM")))
    by_key = list(client.pages("TEAM"))

    assert by_space == by_key
    assert len({page.page_id for page in by_space}) == len(by_space) > 30
    assert all(page.body == "" for page in by_space)
    assert {page.space_key for page in by_space} == {"TEAM"}


def test_pages_come_in_slices(client):
    first = client.pages_slice("TEAM", limit=2)

    assert len(first.items) == 2
    assert client.pages_slice("TEAM", first.next_cursor, 2).items != first.items


def handbook(client):
    return next(page for page in client.pages("TEAM") if page.title == "Handbook")


def test_a_page_comes_with_its_text(client):
    page = client.page(handbook(client).page_id)

    assert "<h2>Steps</h2>" in to_safe_html(page.body)
    assert page.version == 1


def test_a_page_that_is_not_there_is_not_found(client):
    for page_id in ("1", "../spaces", ""):
        with pytest.raises(NotFound):
            client.page(page_id)


def test_search_finds_pages_by_their_words(client):
    (hit,) = client.search("captain says")
    assert hit.page_id == handbook(client).page_id
    assert (hit.title, hit.space_name) == ("Handbook", "Team space")
    assert "How we plan, build and release" in hit.excerpt


def test_search_comes_in_slices(client):
    first = client.search_slice("well in week", limit=5)
    rest = client.search_slice("well in week", first.next_cursor, 50)

    assert len(first.items) == 5
    assert len(first.items + rest.items) == 30


def test_a_search_without_words_asks_nobody(client, part):
    before = part.statistics[CALLS]

    assert list(client.search(' "*" ')) == []
    assert part.statistics[CALLS] == before


def test_cql_is_taken_as_it_is(client):
    hits = client.search_cql('type = page and title = "Handbook"')

    assert [hit.title for hit in hits] == ["Handbook"]
    with pytest.raises(Rejected):
        list(client.search_cql("nonsense ="))


def test_a_new_page_can_be_read_and_looked_at(client):
    body = from_plain_text("First line\nsecond <line>")

    page = client.create_page("TEAM", "A new page", body)

    assert client.page(page.page_id).body == body
    looked_at = requests.get(page.url, timeout=5)
    assert looked_at.status_code == 200
    assert "A new page" in looked_at.text


def test_a_new_page_may_stand_below_another(client, part):
    parent = handbook(client)

    by_page = client.create_page("TEAM", "Below", "<p>x</p>", parent=parent)
    by_id = client.create_page(
        client.space("TEAM"), "Below too", "<p>x</p>", parent=parent.page_id
    )

    assert by_page.title == "Below"
    assert by_id.title == "Below too"


def test_a_title_that_is_taken_is_a_conflict(client):
    with pytest.raises(Conflict):
        client.create_page("TEAM", "Handbook", "<p>x</p>")


def test_addresses_for_people_lead_somewhere(client):
    (hit,) = client.search("captain says")

    for url in (client.space("TEAM").url, handbook(client).url, hit.url):
        assert requests.get(url, timeout=5).status_code == 200


def test_a_client_works_without_with(linked_site):
    client = ConfluenceClient.for_linked_site(linked_site)

    assert client.space("TEAM").key == "TEAM"
    assert client.space("TEAM").key == "TEAM"


def test_the_row_alone_decides_who_is_asked(linked_site, part):
    linked_site.url = "https://evil.example"
    before = part.statistics[CALLS]

    space = ConfluenceClient.for_linked_site(linked_site).space("TEAM")

    assert space.key == "TEAM"
    assert part.statistics[CALLS] == before + 1


# --- refused tokens -----------------------------------------------------------------


def outlive_the_token(sandbox, grant):
    """Over at the other side, fresh by our clock, and refreshable."""
    grants.make_due(grant)
    sandbox.clock.advance(4000)


def test_a_refused_token_is_refreshed_once_and_the_read_repeated(
    client, linked_site, sandbox, part
):
    outlive_the_token(sandbox, linked_site.grant)
    before = part.statistics[CALLS]

    assert client.space("TEAM").key == "TEAM"

    assert part.statistics[REFRESHED] == 1
    assert part.statistics[CALLS] == before + 2


def test_a_write_is_not_repeated_with_a_new_token(client, linked_site, sandbox, part):
    space = client.space("TEAM")
    outlive_the_token(sandbox, linked_site.grant)
    before = part.statistics[CALLS]

    with pytest.raises(NotPermitted):
        client.create_page(space, "Once", "<p>x</p>")

    assert part.statistics[CALLS] == before + 1
    assert part.statistics[REFRESHED] == 0


def test_a_token_that_is_refused_again_is_not_refreshed_again(
    client, linked_site, part
):
    grants.make_due(linked_site.grant)
    part.faults.add("api", "unauthorized")
    before = part.statistics[CALLS]

    with pytest.raises(NotPermitted):
        client.space("TEAM")

    assert part.statistics[CALLS] == before + 2
    assert part.statistics[REFRESHED] == 1


def test_a_brand_new_token_that_is_refused_is_not_refreshed(client, part):
    part.faults.add("api", "unauthorized")
    before = part.statistics[CALLS]

    with pytest.raises(NotPermitted):
        client.space("TEAM")

    assert part.statistics[CALLS] == before + 1
    assert part.statistics[REFRESHED] == 0


def test_a_missing_scope_is_not_refreshed_away(client, linked_site, part):
    grants.make_due(linked_site.grant)
    body = '{"code":401,"message":"Unauthorized; scope does not match"}'
    part.faults.add("api", "custom", status=401, body=body)
    before = part.statistics[CALLS]

    with pytest.raises(ScopeMissing):
        client.space("TEAM")

    assert part.statistics[CALLS] == before + 1
    assert part.statistics[REFRESHED] == 0


@pytest.mark.parametrize(("status", "kind"), [(403, NotPermitted), (404, NotFound)])
def test_a_refusal_of_a_living_token_is_passed_on(
    client, linked_site, part, status, kind
):
    grants.make_due(linked_site.grant)
    part.faults.add("api", "custom", status=status)

    with pytest.raises(kind):
        client.space("TEAM")

    assert part.statistics[REFRESHED] == 0


@pytest.mark.parametrize("status", [403, 404])
def test_an_expired_token_may_look_like_a_missing_page(sandbox, cloud_grant, status):
    sandbox.cloud.behaviour.change({"expired_status": status})
    sandbox.clock.advance(4000)
    now = database_now()
    Grant.objects.update(
        last_rotated_at=now, refresh_at=now, expires_at=now + timedelta(seconds=0.5)
    )
    # The token dies on the way: the refusal comes when its hour is over.
    sandbox.cloud.faults.add("api", "slow", seconds=0.8, times=1)

    space = ConfluenceClient.for_linked_site(site_of(cloud_grant)).space("TEAM")

    assert space.key == "TEAM"
    assert sandbox.cloud.statistics[REFRESHED] == 1


def test_a_server_that_forgot_us_shows_nobody(sandbox, data_center_grant):
    sandbox.data_center.behaviour.change({"anonymous_access": True})
    outlive_the_token(sandbox, data_center_grant)
    client = ConfluenceClient.for_linked_site(site_of(data_center_grant))

    assert client.current_user().account_id == data_center_grant.account_id
    assert sandbox.data_center.statistics[REFRESHED] == 1


def test_a_dead_grant_asks_nobody(client, linked_site, part):
    Grant.objects.update(status=Grant.Status.RECONNECT_NEEDED, death_reason="revoked")
    before = part.statistics[CALLS]

    with pytest.raises(ReauthorizationRequired):
        client.space("TEAM")
    with pytest.raises(ReauthorizationRequired):
        client.create_page("TEAM", "x", "")

    assert part.statistics[CALLS] == before


# --- pauses -------------------------------------------------------------------------


def test_a_read_waits_as_long_as_it_is_told(client, part, slept):
    part.faults.add("api", "rate_limited", times=2, retry_after="7")

    assert client.space("TEAM").key == "TEAM"

    assert len(slept) == 2
    assert all(7 <= seconds <= 7.5 for seconds in slept)


def test_a_read_is_repeated_three_times_at_most(client, part, slept):
    part.faults.add("api", "rate_limited", retry_after="1")

    with pytest.raises(RateLimited) as caught:
        client.space("TEAM")

    assert len(slept) == 3
    assert caught.value.retry_after_seconds == 1


def test_a_pause_beyond_the_deadline_is_the_callers(client, part, slept):
    part.faults.add("api", "rate_limited", retry_after="40")

    with pytest.raises(RateLimited) as caught:
        client.space("TEAM")

    assert slept == []
    assert caught.value.retry_after_seconds == 40


def test_the_callers_deadline_is_for_all_calls_together(linked_site, part, slept):
    client = ConfluenceClient.for_linked_site(
        linked_site, deadline=Deadline(5), sleep=slept.append
    )
    part.faults.add("api", "rate_limited", retry_after="7")

    with pytest.raises(RateLimited):
        client.space("TEAM")

    assert slept == []


def test_a_server_that_restarts_is_waited_for(client, part, slept):
    part.faults.add("api", "unavailable", times=1, retry_after="2")

    assert client.space("TEAM").key == "TEAM"
    assert 2 <= slept[0] <= 2.5


def test_without_a_time_the_pauses_grow(client, part, slept):
    part.faults.add("api", "custom", status=502)

    with pytest.raises(Unavailable):
        client.space("TEAM")

    assert [int(seconds) for seconds in slept] == [1, 2, 4]


@pytest.mark.parametrize("preset", ["server_error", "login_page", "redirect"])
def test_trouble_that_does_not_pass_is_told_at_once(client, part, slept, preset):
    part.faults.add("api", preset, location="https://evil.example")

    with pytest.raises(Unavailable):
        client.space("TEAM")

    assert slept == []


@pytest.mark.parametrize("preset", ["rate_limited", "unavailable"])
def test_a_write_is_never_repeated(client, part, slept, preset):
    space = client.space("TEAM")
    part.faults.add("api", preset, times=1, retry_after="1")
    before = part.statistics[CALLS]

    with pytest.raises((RateLimited, Unavailable)):
        client.create_page(space, "Once", "<p>x</p>")

    assert part.statistics[CALLS] == before + 1
    assert slept == []


def test_no_answer_is_trouble_without_a_status(client, part):
    part.faults.add("api", "drop_before")

    with pytest.raises(Unavailable) as caught:
        client.space("TEAM")

    assert caught.value.status == 0


# --- what a person types --------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("release plan", "release plan"),
        ('"; drop space', "drop space"),
        ('x" or type = blogpost or text ~ "y', "x or type blogpost or text y"),
        ("A AND B OR NOT C", "A and B or not C"),
        ("-minus +plus ~like *any? C++ [x] {y} (z)", "minus plus like any C x y z"),
        ("mail a.b@c.example don't well-known", "mail a.b@c.example don't well-known"),
        ("back\\slash new\nline", "back slash new line"),
        ("Übung 学习", "Übung 学习"),
        ("v1.", "v1"),
    ],
)
def test_only_words_reach_the_query(typed, words):
    assert text_query(typed) == f'type = page and text ~ "{words}"'


@pytest.mark.parametrize("typed", ["", "  ", '"*"', "___", "-.-"])
def test_no_words_are_no_query(typed):
    assert text_query(typed) == ""


def test_a_book_is_not_searched_for():
    assert len(text_query("word " * 1000)) < 600
