"""How people come: signing up, being invited, switching between organizations."""

from __future__ import annotations

from urllib.parse import urlsplit

PASSWORD = "an unusual phrase of mine"


def has_organization(service, person, name):
    """The address of the organization that signing up has made."""
    person.go("/accounts/signup/")
    signs_up(service, person)
    person.sees("How to begin")
    if person.name == "ann":
        person.looks("60-first-home")
    person.click("Settings", role="link")
    person.fill(name=name)
    person.click("Save")
    person.sees("[Ss]aved|renamed|called")
    if person.name == "ann":
        person.looks("60-settings")
    person.click("Home", role="link")
    return urlsplit(person.page.url).path


def signs_up(service, person):
    person.fill(email=address(person), password1=PASSWORD, password2=PASSWORD)
    person.page.locator("main form button[type=submit]").first.click()
    person.sees("[Vv]erif")
    person.go(service.mailed_link(address(person), "confirm-email"))
    person.click("Confirm")
    person.page.get_by_text("Account").first.wait_for()


def address(person):
    return f"{person.name}@example.org"


def is_invited_and_joins_as_a_stranger(service, ann, hill):
    ann.go(hill)
    ann.click("Members", role="link")
    ann.looks("61-members-alone")
    ann.fill(email="cem@example.org")
    ann.click("Send the invitation")
    ann.sees("cem@example.org is invited")
    ann.looks("61-invited")
    cem = service.person("cem")
    cem.go(service.mailed_link("cem@example.org", "/invitations/"))
    cem.sees("One Hill")
    cem.looks("61-invitation-of-a-stranger")
    cem.click("Make an account", role="link")
    assert cem.page.locator("[name=email]").input_value() == "cem@example.org"
    signs_up(service, cem)
    cem.go("/")
    cem.sees("You are in no organization")
    cem.looks("61-no-organization")
    cem.click("See the invitation", role="link")
    cem.looks("61-invitation")
    cem.click("Join")
    cem.sees("You are a member of One Hill now")
    cem.looks("61-joined")
    return cem


def is_invited_and_joins_as_a_known_person(service, ben, cem, lakes):
    ben.go(f"{lakes}members/invite/")
    ben.looks("62-invite")
    ben.fill(email="cem@example.org")
    ben.page.locator("[name=role]").select_option("admin")
    ben.click("Send the invitation")
    ben.sees("cem@example.org is invited")
    link = service.mailed_link("cem@example.org", "/invitations/")
    cem.go(link)
    cem.click("Join")
    cem.sees("Your role here: admin")
    cem.looks("62-joined-as-admin")
    cem.go(link)
    cem.sees("This invitation has ended")
    cem.looks("62-invitation-ended")
    switches(cem, "One Hill", shots="62-switcher")
    cem.sees("Your role here: member")
    switches(cem, "Two Lakes")
    cem.sees("Your role here: admin")


def switches(person, organization, shots=""):
    person.page.locator("details.menu--start summary").click()
    if shots:
        person.looks(shots)
    menu = person.page.locator("details.menu--start .menu-body")
    menu.get_by_role("link", name=organization).click()
    person.page.get_by_role("heading", name=organization).wait_for()
