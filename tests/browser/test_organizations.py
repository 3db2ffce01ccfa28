"""Three people in two organizations, from the first invitation to the last account.

Ann has One Hill, Ben has Two Lakes, and Cem works for both. Site, worker, beat and the
stand-in Atlassian are processes of their own; every page is kept in `artifacts/`.
"""

from __future__ import annotations

import re

import pytest

from tests.browser.chapters.joining import (
    has_organization,
    is_invited_and_joins_as_a_known_person,
    is_invited_and_joins_as_a_stranger,
)
from tests.browser.chapters.leaving import (
    deletes_organization,
    hands_over_and_deletes_account,
    is_outside,
    removes,
    takes_data_along,
    takes_over,
)
from tests.browser.chapters.linking import (
    adds_a_server,
    administrator_enters_the_secret,
    is_asked_to_link,
    links_another_for_himself,
    links_the_same_account_elsewhere,
    links_the_server,
)
from tests.browser.chapters.looking import (
    makes_a_key,
    reads_the_audit_log,
    sees_nothing_of,
    services_use,
)
from tests.canaries import found_in
from tests.sandbox_process import DATA_CENTER_CLIENT_SECRET
from tests.traces import traces

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


def test_three_people_share_two_organizations_and_part_again(service):
    ann, ben = (service.person(name) for name in ("ann", "ben"))
    hill = has_organization(service, ann, "One Hill")
    lakes = has_organization(service, ben, "Two Lakes")

    cem = is_invited_and_joins_as_a_stranger(service, ann, hill)
    is_invited_and_joins_as_a_known_person(service, ben, cem, lakes)

    adds_a_server(service, ann, hill)
    administrator_enters_the_secret(service)
    links_the_server(ann, hill)

    riverside = is_asked_to_link(service, ann, cem, hill)
    links_another_for_himself(cem, hill)
    links_the_same_account_elsewhere(cem, lakes)

    sees_nothing_of(ben, hill, riverside)
    reads_the_audit_log(ann, hill)
    key = makes_a_key(ann, hill)
    services_use(key, service, riverside)

    cem.go(riverside)
    removes(ann, cem, hill)
    is_outside(cem, riverside, lakes)
    takes_over(ann, hill, riverside)

    takes_data_along(ann)
    deletes_organization(ann, hill)
    hands_over_and_deletes_account(service, ben, cem, lakes)
    assert ann.problems + ben.problems + cem.problems == []
    keeps_nothing_secret(service, key)


def keeps_nothing_secret(service, key):
    """No token, key, client secret or mailed address lies around anywhere."""
    links = [link for mail in service.box.mails() for link in mail["links"]]
    mailed = {link.rstrip("/").rpartition("/")[2] for link in links if is_secret(link)}
    assert len(mailed) >= 4
    secrets = {key, DATA_CENTER_CLIENT_SECRET, *mailed}
    for place, data in traces(service.made, service.box):
        assert not found_in(data), f"a secret lies in {place}"
        for secret in secrets - (mailed if place == "mails" else set()):
            assert secret.encode() not in data, f"a secret lies in {place}"


def is_secret(link):
    return re.search(
        "/(invitations|link-invitations|server-setup|confirm-email)/", link
    )
