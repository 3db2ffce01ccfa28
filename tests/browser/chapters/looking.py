"""Who sees what: members, admins, other organizations, services."""

from __future__ import annotations

from pathlib import Path

import requests


def sees_nothing_of(ben, hill, riverside):
    for path in (hill, riverside, f"{hill}audit-log/", f"{hill}members/"):
        answer = ben.page.goto(path)
        assert answer.status == 404, path
        assert "One Hill" not in ben.page.content()
    ben.looks("68-not-found")
    ben.go("/")
    ben.sees("Northwind|Linked sites")
    assert "Riverside" not in ben.page.content()
    ben.looks("68-home-two-lakes")


def reads_the_audit_log(ann, hill):
    ann.go(hill)
    ann.looks("69-home-one-hill")
    ann.go(f"{hill}sites/")
    northwind = ann.page.locator(".card", has_text="Northwind")
    assert northwind.get_by_role("link", name="Open").count() == 0
    ann.looks("69-linked-sites")
    ann.click("Audit log", role="link")
    ann.looks("69-audit-log")
    with ann.page.expect_download() as download:
        ann.click("Export as CSV", role="link")
    lines = Path(download.value.path()).read_text("utf-8-sig")
    for words in ("cem@example.org", "Riverside", "Hill wiki"):
        assert words in lines
    assert "Two Lakes" not in lines
    ann.page.locator("[name=kind]").select_option("people")
    ann.click("Filter")
    ann.sees("Show all")
    assert "Hill wiki" not in ann.page.locator("main table").inner_text()
    ann.looks("69-audit-log-filtered")


def makes_a_key(ann, hill):
    ann.go(f"{hill}keys/")
    ann.looks("70-no-key")
    ann.fill(name="Nightly report")
    ann.click("Make the key")
    key = ann.page.locator("#key").input_value()
    ann.looks("70-key")
    ann.go(f"{hill}keys/")
    assert key not in ann.page.content()
    return key


def services_use(key, service, riverside):
    def ask(method, path, headers):
        url = f"{service.url}/api/v1/linked-sites{path}"
        return requests.request(method, url, headers=headers, timeout=10)

    bearer = {"Authorization": f"Bearer {key}"}
    assert ask("GET", "", {}).status_code == 401
    listed = ask("GET", "", bearer).json()["items"]
    sites = {each["name"]: each["id"] for each in listed}
    # Northwind is Cem's alone.
    assert set(sites) == {"Riverside", "Hill wiki"}
    assert f"/{sites['Riverside']}/" in riverside
    wiki = ask("POST", f"/{sites['Hill wiki']}/token", bearer)
    assert (wiki.status_code, wiki.json()["token_type"]) == (200, "Bearer")
    # A token of Cem's account would reach Northwind, too.
    refused = ask("POST", f"/{sites['Riverside']}/token", bearer)
    assert (refused.status_code, refused.json()["code"]) == (409, "shared_grant")
