"""A headless Chromium, and a whole installation with the sandbox as Confluence."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

from config.env import BASE_DIR
from tests.canaries import found_in
from tests.installation import installation
from tests.sandbox_process import sandbox_process

# As `config/run/install_programs.sh` looks for it.
NAMES = os.environ.get("CHROMIUM", "chromium chromium-browser google-chrome").split()
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": (1280, 900), "phone": (360, 740)}
ARTIFACTS = BASE_DIR / "artifacts"


# Not longer: while Playwright runs, Django takes this thread for an event loop's.
@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, NAMES))),
            args=ARGUMENTS,
            headless=True,
        )
        yield browser
        browser.close()


class Person:
    """Somebody at a browser of their own, whose every page is kept as a picture."""

    def __init__(self, browser, site, name):
        self.site, self.name = site, name
        self.context = browser.new_context(base_url=site.url)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.problems = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _heard(self, message):
        # Nothing on any page may break the content security policy.
        if "Content Security Policy" in message.text:
            self.problems.append(message.text)

    def go(self, path):
        self.page.goto(path)

    def click(self, name, role="button"):
        pattern = re.compile(name)
        self.page.get_by_role(role, name=pattern).first.click()

    def fill(self, **fields):
        for name, value in fields.items():
            self.page.locator(f"[name={name}]").first.fill(value)

    def sees(self, text):
        self.page.get_by_text(re.compile(text)).first.wait_for()

    def looks(self, name):
        """Keeps a picture of the page at both widths; no page scrolls sideways."""
        ARTIFACTS.mkdir(exist_ok=True)
        assert not found_in(self.page.content().encode()), name
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.screenshot(path=ARTIFACTS / f"{name}-{size}.png", full_page=True)
            wide = "document.documentElement.scrollWidth > window.innerWidth"
            assert not self.page.evaluate(wide), f"{name} is too wide on a {size}"
        self.page.set_viewport_size({"width": 1280, "height": 900})


class Service:
    """An installation, its sandbox, and the people who use it."""

    def __init__(self, made, box, browser):
        self.made, self.box, self.browser = made, box, browser
        self.url = made.url

    def person(self, name):
        return Person(self.browser, self, name)

    def mailed_link(self, address, path="/"):
        """The newest link with this in it that was mailed to somebody."""
        links = [
            link
            for mail in self.box.mails(to=address)
            for link in reversed(mail["links"])
            if path in link
        ]
        return links[0]


@pytest.fixture
def service(chromium, tmp_path):
    with whole_service(chromium, tmp_path) as made:
        yield made


@contextmanager
def whole_service(browser, directory, **settings):
    # A process of its own: the browser's event loop runs in this one.
    with (
        sandbox_process(access_token_seconds=60) as box,
        installation(
            directory,
            CONFLUENCE_LINK_SWEEP_SECONDS="2",
            CONFLUENCE_LINK_MIN_REFRESH_SECONDS="20",
            LOG_LEVEL="DEBUG",
            **box.settings(),
            **settings,
        ) as made,
    ):
        box.register_callbacks(made.url)
        made.start_site()
        made.start_worker()
        made.start_beat()
        yield Service(made, box, browser)
