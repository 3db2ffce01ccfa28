"""How people go, and what stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser.chapters.joining import address
from tests.browser.chapters.linking import links_cloud, opened


def removes(ann, cem, hill):
    ann.go(f"{hill}members/")
    ann.looks("71-members")
    ann.click(address(cem), role="link")
    ann.looks("71-member")
    ann.click("Remove from the organization", role="link")
    ann.page.locator("input[name^=adopter]").fill(address(ann))
    ann.looks("71-remove")
    ann.click("Remove cem")
    ann.sees("is not a member any more")
    ann.looks("71-removed")


def is_outside(cem, riverside, lakes):
    """The tab that is still open shows nothing of One Hill any more."""
    assert urlsplit(cem.page.url).path == riverside
    assert cem.page.reload().status == 404
    assert "Riverside" not in cem.page.content()
    cem.looks("72-outside")
    cem.go(f"{lakes}sites/")
    opened(cem, "Northwind")
    cem.looks("72-still-works")


def takes_over(ann, hill, riverside):
    ann.go(hill)
    ann.sees("Riverside has no account")
    ann.looks("73-needs-ann")
    ann.click("Linked sites", role="link")
    ann.sees("Waiting for a new account")
    ann.looks("73-vacant")
    ann.click("Link this site", role="link")
    ann.looks("73-take-over")
    links_cloud(ann, "bob", "Riverside", for_all=True, shots="73-choose")
    ann.looks("73-taken-over")
    assert opened(ann, "Riverside") == riverside


def takes_data_along(ann):
    ann.go("/me/")
    ann.looks("74-my-data")
    with ann.page.expect_download() as download:
        ann.click("Download", role="link")
    taken = json.dumps(json.loads(Path(download.value.path()).read_text()))
    assert "One Hill" in taken
    assert "Riverside" in taken
    assert "Two Lakes" not in taken


def deletes_organization(ann, hill):
    ann.go(f"{hill}settings/")
    ann.click("Delete", role="link")
    ann.fill(name="One Hill")
    ann.looks("75-delete-organization")
    ann.click("Delete One Hill")
    ann.sees("is deleted")
    ann.looks("75-deleted")
    assert ann.page.goto(hill).status == 404
    ann.go("/organizations/new/")
    ann.looks("75-new-organization")


def hands_over_and_deletes_account(service, ben, cem, lakes):
    hands_over(ben, cem, lakes, shots="76-hand-over")
    cem.go("/me/delete/")
    cem.sees("nobody but you owns")
    cem.looks("77-only-owner")
    hands_over(cem, ben, lakes)
    cem.go("/me/")
    cem.click("Delete", role="link")
    cem.fill(name=address(cem))
    cem.looks("77-delete-account")
    cem.click("Delete my account")
    cem.sees("Your account is deleted")
    cem.looks("77-deleted")
    ben.go(lakes)
    ben.sees("Northwind has no account")
    ben.looks("77-needs-somebody")


def hands_over(person, other, organization, shots=""):
    person.go(f"{organization}members/")
    person.click(address(other), role="link")
    person.click("Hand over", role="link")
    if shots:
        person.looks(shots)
    person.click("Hand over")
    person.page.get_by_role("heading", name="Members").wait_for()
