"""The operator's acts: asked first, allowed, recorded, and done (D03, D04)."""

from __future__ import annotations

import pytest
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts.models import User
from confluence_link.models import Event, Grant, LinkedSite, SealedTokenSet
from tests import factories, grants

REFRESHED = "exchange.refresh_token.ok"


def act(client, model, action, *rows, **data):
    """One POST of an action; with `confirmed="yes"` the second one."""
    return client.post(
        reverse(f"admin:confluence_link_{model}_changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows], **data},
        follow=True,
    )


def confirm(client, model, action, *rows):
    return act(client, model, action, *rows, confirmed="yes")


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def kinds():
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("model", "action"),
    [
        ("grant", "refresh_now"),
        ("grant", "list_sites_again"),
        ("grant", "unlink"),
        ("linkedsite", "unlink"),
    ],
)
def test_the_first_post_asks_and_does_nothing(
    admin_client, grant, linked_site, model, action
):
    row = grant if model == "grant" else linked_site

    answer = act(admin_client, model, action, row, index="0")

    assert answer.templates[0].name == "admin/confluence_link/confirm.html"
    assert (answer.context["count"], answer.context["action"]) == (1, action)
    assert kinds() == []
    assert SealedTokenSet.objects.count() == LinkedSite.objects.count() == 1


def test_the_question_names_twenty_and_counts_the_rest(
    admin_client, make_grant, organization
):
    rows = [make_grant(organization) for _ in range(22)]

    answer = act(admin_client, "grant", "unlink", *rows)

    assert len(answer.context["named"]) == 20
    assert "and 2 more" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_refresh_now_refreshes_one_grant_at_once(
    admin_client, sandbox, data_center_grant
):
    grants.seconds_pass(sandbox, 120)

    answer = confirm(admin_client, "grant", "refresh_now", data_center_grant)

    assert sandbox.data_center.statistics[REFRESHED] == 1
    assert said(answer)[0].endswith(": refreshed")
    asked = Event.objects.get(kind=Event.Kind.REFRESH_ASKED)
    assert (asked.actor.first_name, asked.grant) == ("Ada", data_center_grant)


def test_refresh_now_of_many_makes_them_due_and_leaves_them_to_the_workers(
    admin_client, make_grant, organization
):
    ready = [make_grant(organization) for _ in range(3)]
    just_now = make_grant(organization)
    Grant.objects.filter(pk=just_now.pk).update(last_rotated_at=just_now.expires_at)
    dead = make_grant(organization, status=Grant.Status.RECONNECT_NEEDED)

    answer = confirm(admin_client, "grant", "refresh_now", *ready, just_now, dead)

    due = Grant.objects.filter(refresh_at__lt=just_now.refresh_at)
    assert set(due) == set(ready)
    assert said(answer) == ["3 of 5 grants are due now; workers take them."]
    assert kinds() == [Event.Kind.REFRESH_ASKED] * 5


def test_refresh_now_of_many_does_without_the_broker(
    admin_client, make_grant, organization, monkeypatch
):
    def refused(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr("kombu.transport.memory.Channel._put", refused)
    ready = [make_grant(organization) for _ in range(2)]

    answer = confirm(admin_client, "grant", "refresh_now", *ready)

    assert "2 of 2 grants are due now; Redis does not answer" in said(answer)[0]


def test_all_pages_of_a_filtered_list_can_be_acted_on(
    admin_client, make_grant, organization, other_organization
):
    mine = [make_grant(organization) for _ in range(2)]
    other = make_grant(other_organization)
    url = reverse("admin:confluence_link_grant_changelist")
    query = f"?linked_sites__organization__id__exact={organization.pk}"

    admin_client.post(
        url + query,
        {
            "action": "unlink",
            "_selected_action": [mine[0].pk],
            "select_across": "1",
            "confirmed": "yes",
        },
    )

    assert {grant.status for grant in Grant.objects.exclude(pk=other.pk)} == {
        "unlinked"
    }
    other.refresh_from_db()
    assert other.status == "active"


def test_list_sites_again_follows_what_the_token_reaches(
    admin_client, sandbox, cloud_grant
):
    LinkedSite.objects.update(name="An old name", status=LinkedSite.Status.LOST)

    answer = confirm(admin_client, "grant", "list_sites_again", cloud_grant)

    assert LinkedSite.objects.filter(status=LinkedSite.Status.LOST).count() == 0
    assert said(answer)[0].endswith(": listed again")
    assert Event.Kind.SITES_LISTED in kinds()


def test_list_sites_again_tells_what_failed(admin_client, sandbox, cloud_grant):
    SealedTokenSet.objects.update(access=b"damaged")

    answer = confirm(admin_client, "grant", "list_sites_again", cloud_grant)

    assert ": failed:" in said(answer)[0]


def test_sites_are_listed_for_a_few_grants_at_a_time(
    admin_client, make_grant, organization
):
    rows = [make_grant(organization) for _ in range(21)]

    answer = confirm(admin_client, "grant", "list_sites_again", *rows)

    assert said(answer) == ["At most 20 at a time; 21 were selected."]
    assert kinds() == []


def test_unlinking_a_site_leaves_the_others_of_its_grant(
    admin_client, grant, linked_site, other_organization
):
    factories.join(grant.user, other_organization)
    kept = LinkedSite.objects.create(
        organization=other_organization, grant=grant, site_id="s", name="s", url="s"
    )

    confirm(admin_client, "linkedsite", "unlink", linked_site)

    assert list(LinkedSite.objects.all()) == [kept]
    assert SealedTokenSet.objects.count() == 1
    event = Event.objects.get(kind=Event.Kind.UNLINKED)
    assert event.actor == User.objects.get(first_name="Ada")


def test_unlinking_all_sites_of_a_grant_erases_its_tokens(
    admin_client, grant, linked_site
):
    confirm(admin_client, "grant", "unlink", grant)

    grant.refresh_from_db()
    assert grant.status == "unlinked"
    assert SealedTokenSet.objects.count() == LinkedSite.objects.count() == 0


def test_a_grants_own_page_offers_the_actions(admin_client, grant):
    url = reverse("admin:confluence_link_grant_change", args=[grant.pk])

    text = admin_client.get(url).content.decode()

    for label in ("Refresh now", "List sites again", "Unlink all sites"):
        assert f">{label}</button>" in text


def test_a_get_does_nothing(admin_client, grant):
    admin_client.get(
        reverse("admin:confluence_link_grant_changelist"),
        {"action": "unlink", "_selected_action": grant.pk, "confirmed": "yes"},
    )

    assert kinds() == []


def test_an_action_without_csrf_token_is_refused(grant, admin_client):
    admin_client.handler.enforce_csrf_checks = True

    answer = confirm(admin_client, "grant", "unlink", grant)

    assert answer.status_code == 403
    assert kinds() == []
