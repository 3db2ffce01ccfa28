"""Spaces, pages, search, and making a page, on both deployments."""

from __future__ import annotations

import re

import pytest

from confluence_link.models import Event
from tests.confluence_link.views.addresses import url


@pytest.fixture(params=["cloud", "data_center"])
def site(request):
    return request.getfixturevalue(f"{request.param}_site")


@pytest.fixture
def part(site, sandbox):
    """The side of the sandbox that serves this site."""
    return getattr(sandbox, site.grant.oauth_app.deployment)


def html_of(client, address, status=200, **query):
    response = client.get(address, query)
    assert response.status_code == status
    return response.content.decode()


def page_url(client, site, title):
    """Found as a person would: by the link in the list of the space."""
    html = html_of(client, url("space", site, "TEAM"))
    found = re.search(rf'href="([^"]+/pages/[^"]+)">{title}<', html)
    assert found
    return found[1]


# --- a space ------------------------------------------------------------------


def test_a_space_lists_its_pages(alice_client, site):
    html = html_of(alice_client, url("space", site, "TEAM"))
    assert "<h1>Team space</h1>" in html
    assert "Handbook" in html
    assert url("create_page", site, "TEAM") in html


def test_a_long_space_has_more_pages(alice_client, cloud_site):
    html = html_of(alice_client, url("space", cloud_site, "TEAM"))
    following = re.search(r'rel="next" href="([^"]+)"', html)
    assert following
    more = html_of(alice_client, following[1].replace("&amp;", "&"))
    assert "Weekly report 30" in more
    assert 'href="' + url("space", cloud_site, "TEAM") + '"' in more


def test_an_access_that_was_ended_there_is_not_taken_for_missing_rights(
    alice_client, site, part
):
    part.revoke(site.grant.account_id)

    html = html_of(alice_client, url("space", site, "TEAM"), 403)

    assert "The access was refused" in html
    assert f"reconnect={site.public_id}" in html


def test_an_unknown_space_is_said_to_be_unknown(alice_client, site):
    html = html_of(alice_client, url("space", site, "NOWHERE"), 404)
    assert "It does not exist in Confluence" in html


@pytest.mark.parametrize("key", ["..", "%2e%2e", "a b", "x" * 300, "x?y=z", "<b>"])
def test_a_hostile_space_key_is_no_accident(alice_client, cloud_site, key):
    response = alice_client.get(url("space", cloud_site, key))
    assert response.status_code in {404, 502}
    assert b"<b>" not in response.content


def test_a_hostile_title_is_escaped(alice_client, site):
    html = html_of(alice_client, url("space", site, "TEAM"))
    assert "Hostile &lt;b&gt;page&lt;/b&gt;" in html
    assert "Hostile <b>" not in html


def test_a_made_up_cursor_is_the_askers_mistake(alice_client, site):
    for cursor in ("x\r\ny", "-1", "9" * 400, "%00"):
        response = alice_client.get(url("space", site, "TEAM"), {"cursor": cursor})
        assert response.status_code == 400
        assert "Go back to the first page" in response.content.decode()


# --- a page -------------------------------------------------------------------


def test_a_page_shows_its_text_and_the_way_to_confluence(alice_client, site):
    html = html_of(alice_client, page_url(alice_client, site, "Handbook"))
    assert "<h1>Handbook</h1>" in html
    assert "<td>Keeps the pages true</td>" in html
    assert "Open in Confluence" in html


def test_a_pages_code_stays_code(alice_client, site):
    html = html_of(alice_client, page_url(alice_client, site, "Release runbook"))
    assert "make check &amp;&amp; make release" in html


def test_a_hostile_page_is_only_text(alice_client, site):
    html = html_of(alice_client, page_url(alice_client, site, "Hostile [^<]+"))
    body = html[html.index('class="prose"') :]
    assert "The only sentence that should be left." in body
    for sign in ("<script", "onclick", "javascript:", "<iframe", "<svg", "<style"):
        assert sign not in body


def test_an_unknown_page_is_not_found(alice_client, site):
    html = html_of(alice_client, url("page", site, "99999999"), 404)
    assert "Not found" in html


@pytest.mark.parametrize("page_id", ["..", "abc", "1?x", "9" * 400])
def test_a_hostile_page_id_is_not_asked_for(alice_client, site, page_id):
    html_of(alice_client, url("page", site, page_id), 404)


# --- search -------------------------------------------------------------------


def test_search_without_words_asks_for_some(alice_client, site):
    assert "What are you looking for?" in html_of(alice_client, url("search", site))


def test_search_finds_pages_with_an_excerpt(alice_client, site):
    html = html_of(alice_client, url("search", site), q="budget")
    assert "Meeting notes" in html
    assert "/pages/" in html


def test_search_keeps_the_words_on_the_next_page(alice_client, cloud_site):
    html = html_of(alice_client, url("search", cloud_site), q="week")
    following = re.search(r'rel="next" href="([^"]+)"', html)
    assert following
    assert "q=week" in following[1]
    html_of(alice_client, following[1].replace("&amp;", "&"))


def test_search_without_a_result_says_so(alice_client, site):
    html = html_of(alice_client, url("search", site), q="zzyzx<b>")
    assert "Nothing found for “zzyzx&lt;b&gt;”" in html


def test_search_takes_no_query_language(alice_client, site):
    html_of(alice_client, url("search", site), q='" or type = space or text ~ "')


# --- a new page ---------------------------------------------------------------


def post(client, site, **fields):
    return client.post(url("create_page", site, "TEAM"), fields)


def test_the_form_says_where_the_page_will_be(alice_client, site):
    html = html_of(alice_client, url("create_page", site, "TEAM"))
    assert "Team space" in html
    assert 'name="title"' in html


def test_a_created_page_is_shown_with_its_place_in_confluence(alice_client, site):
    response = post(alice_client, site, title="Plans", text="One.\n\nTwo <b>2</b>.")
    assert response.status_code == 302
    html = html_of(alice_client, response["Location"])
    assert "The page “Plans” was created." in html
    assert "<p>Two &lt;b&gt;2&lt;/b&gt;.</p>" in html
    assert "Open in Confluence" in html


def test_a_created_page_is_written_into_the_timeline(alice, alice_client, site):
    post(alice_client, site, title="Plans", text="")
    event = Event.objects.get(kind=Event.Kind.PAGE_CREATED)
    assert event.actor == alice
    assert event.organization == site.organization
    assert event.grant == site.grant
    assert event.facts["title"] == "Plans"
    assert event.facts["page_id"].isdigit()


def test_the_same_page_twice_is_made_once(alice_client, site):
    post(alice_client, site, title="Plans", text="mine")
    response = post(alice_client, site, title="Plans", text="mine")
    html = response.content.decode()
    assert response.status_code == 200
    assert "This title is taken" in html
    assert "mine</textarea>" in html
    assert Event.objects.filter(kind=Event.Kind.PAGE_CREATED).count() == 1


def test_a_page_without_a_title_is_not_sent(alice_client, site):
    response = post(alice_client, site, title=" ", text="kept")
    assert "This field is required." in response.content.decode()
    assert "kept</textarea>" in response.content.decode()
    assert not Event.objects.filter(kind=Event.Kind.PAGE_CREATED).exists()


def test_a_doubtful_answer_is_not_tried_again(alice_client, cloud_site, sandbox):
    # The space is looked up first, honestly.
    sandbox.cloud.faults.add("api", "slow", times=1, seconds=0)
    sandbox.cloud.faults.add("api", "drop_after")
    response = post(alice_client, cloud_site, title="Plans", text="kept")
    html = response.content.decode()
    assert "We do not know whether the page was created" in html
    assert "kept</textarea>" in html


def test_a_page_that_was_not_sent_is_not_in_doubt(alice_client, site, part):
    part.faults.add("api", "server_error")
    html = post(alice_client, site, title="Plans", text="kept").content.decode()
    assert "Confluence has trouble" in html
    assert "kept</textarea>" in html


def test_no_button_beside_what_was_typed_would_lose_it(alice_client, site, part):
    part.faults.add("api", "rate_limited", retry_after="600")
    html = post(alice_client, site, title="Plans", text="kept").content.decode()
    assert "Too many requests" in html
    assert "Try again</a>" not in html


def test_an_account_that_may_not_write_is_told_so(alice_client, cloud_site, sandbox):
    sandbox.cloud.faults.add("api", "slow", times=1, seconds=0)
    sandbox.cloud.faults.add("api", "blocked")
    response = post(alice_client, cloud_site, title="Plans", text="")
    assert "may not create pages here" in response.content.decode()


def test_a_foreign_member_cannot_create(bob_client, other_organization, cloud_site):
    assert post(bob_client, cloud_site, title="x").status_code == 404
    foreign = url("create_page", cloud_site, "TEAM").replace(
        cloud_site.organization.slug, other_organization.slug
    )
    assert bob_client.post(foreign, {"title": "x"}).status_code == 404
