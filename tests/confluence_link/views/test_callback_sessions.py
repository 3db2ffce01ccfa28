"""Sessions, people and memberships that changed while the person was away."""

from __future__ import annotations

from django.contrib.sessions.models import Session

from accounts.models import Membership
from confluence_link.models import LinkedSite
from tests import factories, link_steps


def test_l20_a_session_that_ended_on_the_way_ends_the_attempt(
    alice, alice_client, back, sandbox
):
    Session.objects.all().delete()
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "other_session"
    home = alice_client.get("/").content.decode()
    assert 'href="/"' in answer.content.decode()
    assert 'href="/accounts/login/' in home
    factories.sign_in(alice_client, alice)
    again = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(again) == "expired"
    assert link_steps.token_calls(sandbox) == 0


def test_l21_the_next_person_in_the_same_browser_cannot_finish(
    alice_client, back, bob, sandbox
):
    alice_client.post("/accounts/logout/")
    factories.sign_in(alice_client, bob)
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "expired"
    assert link_steps.token_calls(sandbox) == 0


def test_l21_a_state_of_another_person_in_the_same_session_is_refused(
    alice_client, back, bob, sandbox
):
    session = alice_client.session
    for stashed in session["socialaccount_states"].values():
        stashed[0]["data"]["user"] = bob.pk
    session.save()
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "other_session"
    assert link_steps.token_calls(sandbox) == 0


def test_l22_a_look_at_another_organization_changes_nothing(
    carol, carol_client, cloud_app, organization, sandbox
):
    second = factories.make_organization("Second", owner=carol)
    started = link_steps.start(carol_client, "cloud", organization=organization)
    carol_client.get(second.get_absolute_url())
    came_back = link_steps.come_back(
        carol_client, link_steps.consent_to_cloud(sandbox, started)
    )
    link_steps.confirm(
        carol_client, came_back, sites=[link_steps.cloud_id("northwind")]
    )
    assert LinkedSite.objects.get().organization == organization


def test_l22_who_was_removed_meanwhile_is_refused(
    carol, carol_client, cloud_app, organization, sandbox
):
    started = link_steps.start(carol_client, "cloud", organization=organization)
    back = link_steps.consent_to_cloud(sandbox, started)
    Membership.objects.filter(user=carol).delete()
    answer = link_steps.come_back(carol_client, back)
    assert link_steps.reason_of(answer) == "not_member"
    assert link_steps.token_calls(sandbox) == 0
