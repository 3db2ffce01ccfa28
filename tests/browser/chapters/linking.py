"""A server of an organization, and accounts that are linked: shared, and not."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.browser.chapters.joining import address
from tests.sandbox_process import DATA_CENTER_CLIENT_ID, DATA_CENTER_CLIENT_SECRET

ADMINISTRATOR = "dora@wiki.example.org"


def adds_a_server(service, ann, hill):
    ann.go(f"{hill}servers/")
    ann.looks("63-no-server")
    ann.click("Add a server", role="link")
    ann.looks("63-add-server")
    ann.fill(base_url=service.box.data_center_url, name="Hill wiki")
    ann.click("Add and check")
    ann.sees("2. Create the link on the server")
    ann.looks("63-server-checked")
    redirect_uri = ann.page.locator("#redirect-url").input_value()
    service.box.ask(
        "POST", "/data-center/redirect-uris", {"redirect_uri": redirect_uri}
    )
    ann.click("Mail these instructions", role="link")
    ann.looks("63-ask-administrator")
    ann.fill(email=ADMINISTRATOR)
    ann.click("Send")
    ann.sees(f"A mail is on its way to {ADMINISTRATOR}")
    ann.looks("63-server-asked")


def administrator_enters_the_secret(service):
    """Without an account, once."""
    dora = service.person("dora")
    link = service.mailed_link(ADMINISTRATOR, "/server-setup/")
    dora.go(link)
    dora.sees("One Hill")
    dora.looks("64-setup")
    dora.fill(client_id=DATA_CENTER_CLIENT_ID, client_secret=DATA_CENTER_CLIENT_SECRET)
    dora.click("Seal and send")
    dora.sees("are sealed")
    dora.looks("64-setup-done")
    dora.go(link)
    dora.sees("This form is over")
    dora.looks("64-setup-over")
    assert dora.problems == []


def links_the_server(ann, hill):
    ann.go(f"{hill}servers/")
    ann.looks("65-servers")
    ann.click("Hill wiki", role="link")
    ann.sees(f"Entered by {ADMINISTRATOR}")
    assert DATA_CENTER_CLIENT_SECRET not in ann.page.content()
    ann.looks("65-server-ready")
    ann.click("Link Hill wiki", role="link")
    ann.looks("65-link-start")
    ann.click("Continue to Hill wiki")
    ann.page.locator("#user-dora").click()
    ann.page.locator("#allow").click()
    ann.sees("Choose the sites")
    ann.looks("65-choose")
    ann.click("Link these sites")
    ann.sees("Linked: ")


def is_asked_to_link(service, ann, cem, hill):
    """The address of the site that he shares with One Hill."""
    ann.go(f"{hill}sites/")
    ann.click("Ask somebody to link", role="link")
    ann.looks("66-ask-to-link")
    ann.fill(person=address(cem))
    ann.page.locator("[name=app]").select_option("cloud")
    ann.click("Send")
    ann.sees("got a mail that works for four hours")
    ann.looks("66-asked-to-link")
    cem.go(service.mailed_link(address(cem), "/link-invitations/"))
    cem.sees("asks you to link")
    cem.looks("66-link-invitation")
    cem.click("Go on")
    cem.looks("66-link-start")
    links_cloud(cem, "alice", "Riverside", for_all=True, shots="66-choose")
    cem.looks("66-linked")
    return opened(cem, "Riverside")


def links_another_for_himself(cem, hill):
    cem.go(f"{hill}sites/")
    cem.click("Link Confluence Cloud", role="link")
    links_cloud(cem, "alice", "Northwind", for_all=False, shots="67-choose-for-me")
    cem.looks("67-own-and-shared")
    opened(cem, "Northwind")
    cem.looks("67-only-me")


def links_the_same_account_elsewhere(cem, lakes):
    cem.go(f"{lakes}sites/")
    cem.click("Link Confluence Cloud", role="link")
    cem.looks("67-which-organization")
    links_cloud(cem, "alice", "Northwind", for_all=True)
    cem.looks("67-two-lakes")


def links_cloud(person, account, site, *, for_all, shots=""):
    person.click("Continue to Atlassian")
    person.page.locator(f"#account-{account}").click()
    person.page.locator("#site").select_option(label=site)
    person.page.locator("#accept").click()
    person.sees("Choose the sites")
    sites = person.page.locator("[name=sites]")
    for choice in person.page.locator("label", has=sites).all():
        choice.locator("input").set_checked(site in choice.inner_text())
    person.page.locator(f"[name=who][value={'all' if for_all else 'me'}]").check()
    if shots:
        person.looks(shots)
    person.click("Link these sites")
    person.sees(f"Linked: {site}")


def opened(person, site):
    person.page.locator(".card", has_text=site).get_by_role("link").first.click()
    person.page.locator("main ul.list a").first.wait_for()
    return urlsplit(person.page.url).path
