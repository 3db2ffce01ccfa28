"""A stranger's whole way for Cloud and Data Center, in a real browser.

Everything runs as its own process on a real database: site, worker, beat, and the
stand-in Atlassian. The pictures of every page are kept in `artifacts/`.
"""

from __future__ import annotations

import pytest

from tests.canaries import found_in
from tests.sandbox_process import (
    DATA_CENTER_CLIENT_ID,
    DATA_CENTER_CLIENT_SECRET,
    PARTS,
)
from tests.traces import traces

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

PASSWORD = "an unusual phrase of mine"
STRANGER = "stranger@example.org"
OPERATOR = "operator@example.org"


def test_a_stranger_links_cloud_and_data_center_and_everything_works(service):
    stranger = service.person("stranger")
    sign_up(service, stranger)
    link_cloud(stranger)
    read(stranger, "Northwind", shots="cloud")
    create(stranger, "Northwind", shots="cloud")
    add_data_center(service)
    link_data_center(stranger)
    read(stranger, "Company wiki", shots="data-center")
    create(stranger, "Company wiki", shots="data-center")
    sees_refreshes(service, stranger)
    operator_sees_everything(service)
    unlink(stranger, "Northwind", shots="cloud")
    unlink(stranger, "Company wiki", shots="data-center")
    assert stranger.problems == []
    for place, data in traces(service.made, service.box):
        assert not found_in(data), f"a secret lies in {place}"
    for part in PARTS:
        state = service.box.state(part)
        assert [family["breaches"] for family in state["families"]] == [0]
        assert state["statistics"].get("api.expired", 0) == 0


def sign_up(service, person):
    person.go("/")
    person.looks("01-landing")
    person.click("Sign up|Create", role="link")
    person.looks("02-sign-up")
    person.fill(email=STRANGER, password1=PASSWORD, password2=PASSWORD)
    person.page.locator("main form button[type=submit]").first.click()
    person.sees("[Vv]erif")
    person.looks("03-verify")
    person.go(service.mailed_link(STRANGER))
    person.looks("04-confirm-address")
    person.click("Confirm")
    linked_sites(person)
    person.sees("No site is linked yet")
    person.looks("05-empty")


def link_cloud(person):
    person.click("Link Confluence Cloud", role="link")
    person.sees("What is asked for")
    person.looks("10-cloud-start")
    person.click("Continue to Atlassian")
    person.page.locator("#account-alice").click()
    person.page.locator("#site").select_option(label="Northwind")
    person.page.locator("#accept").click()
    person.sees("Choose the sites")
    person.sees("Northwind")
    person.looks("11-cloud-confirm")
    person.click("Link these sites")
    person.sees("Linked: Northwind")
    person.looks("12-cloud-linked")


def link_data_center(person):
    linked_sites(person)
    person.click("Link Company wiki", role="link")
    person.looks("30-data-center-start")
    person.click("Continue to Company wiki")
    person.page.locator("#user-dora").click()
    person.page.locator("#allow").click()
    person.sees("Choose the sites")
    person.looks("31-data-center-confirm")
    person.click("Link these sites")
    person.sees("Linked: ")
    person.looks("32-both-linked")


def linked_sites(person):
    person.go("/")
    person.click("Linked sites", role="link")


def read(person, site, *, shots):
    open_site(person, site)
    person.looks(f"20-{shots}-site")
    person.fill(q="W" * 80)
    person.page.keyboard.press("Enter")
    person.sees("Nothing found")
    person.looks(f"20-{shots}-nothing-found")
    person.fill(q="runbook")
    person.page.keyboard.press("Enter")
    person.page.locator("main ul.list a").first.wait_for()
    person.looks(f"21-{shots}-search")
    person.page.locator("main ul.list a").first.click()
    person.page.locator(".prose").wait_for()
    person.looks(f"22-{shots}-page")


def open_site(person, site):
    linked_sites(person)
    person.page.locator(".card", has_text=site).get_by_role("link").first.click()
    person.page.locator("main ul.list a").first.wait_for()


def create(person, site, *, shots):
    open_site(person, site)
    person.page.locator("main ul.list a").first.click()
    person.page.locator("main ul.list a").first.wait_for()
    person.looks(f"23-{shots}-space")
    person.click("New page", role="link")
    person.looks(f"24-{shots}-new-page")
    person.fill(
        title="Written from outside", text="First line.\n\n<b>Not bold</b> & so"
    )
    person.click("Create page")
    person.sees("<b>Not bold</b> & so")
    person.looks(f"25-{shots}-created")
    shown = person.page.get_by_role("link", name="Open in Confluence")
    person.go(shown.get_attribute("href"))
    assert "Written from outside" in person.page.locator("#title").inner_text()


def add_data_center(service):
    service.made.manage(
        "shell",
        "-c",
        "from tests.factories import make_user;"
        f"make_user('Operator', email='{OPERATOR}', is_staff=True, is_superuser=True)",
    )
    operator = sign_in_operator(service)
    operator.go("/admin/confluence_link/oauthapp/add/")
    operator.page.locator("[name=deployment]").select_option("data_center")
    operator.fill(
        provider_id="wiki",
        name="Company wiki",
        base_url=service.box.data_center_url,
        client_id=DATA_CENTER_CLIENT_ID,
        client_secret=DATA_CENTER_CLIENT_SECRET,
    )
    operator.looks("40-admin-add-app")
    operator.page.locator("[name=_save]").click()
    operator.sees("was added successfully")
    operator.looks("41-admin-apps")
    assert operator.problems == []


def sign_in_operator(service):
    operator = service.person("operator")
    operator.go("/admin/")
    operator.fill(login=OPERATOR, password="correct horse battery staple")
    operator.page.locator("main form button[type=submit]").first.click()
    operator.page.locator("#site-name").wait_for()
    return operator


def operator_sees_everything(service):
    operator = sign_in_operator(service)
    operator.looks("42-admin-start")
    for number, name in enumerate(("grant", "linkedsite", "event"), start=43):
        operator.go(f"/admin/confluence_link/{name}/")
        operator.looks(f"{number}-admin-{name}s")
    operator.go("/admin/confluence_link/grant/")
    operator.page.locator("#result_list tbody th a").first.click()
    operator.page.locator("#content").wait_for()
    operator.looks("46-admin-one-grant")


def sees_refreshes(service, person):
    """Beat and the worker refresh both grants while nobody does anything."""
    for part in PARTS:
        for _ in range(70):
            if service.box.count(part, "exchange.refresh_token.ok"):
                break
            person.page.wait_for_timeout(1000)
    for site, shots in (("Northwind", "cloud"), ("Company wiki", "data-center")):
        open_site(person, site)
        person.click("Timeline", role="link")
        person.sees("was last renewed")
        person.looks(f"33-{shots}-timeline")


def unlink(person, site, *, shots):
    open_site(person, site)
    person.click("Unlink", role="link")
    person.looks(f"50-{shots}-unlink")
    person.click("Unlink")
    person.sees("is unlinked")
    person.looks(f"51-{shots}-unlinked")
