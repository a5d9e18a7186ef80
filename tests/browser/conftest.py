"""Builds the widget once, starts Chromium and the fake gateway, and gives each test a browser context of its own."""
from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from assistant.settings import Settings
from scripts import build_widget
from tests.browser import talk
from tests.browser.fake_gateway import FakeGateway

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
# Long enough for a busy machine; a test that passes never waits for it.
PATIENCE_MS = 15_000

Visit = Callable[..., Page]


def chromium() -> str:
    """Return the path of the machine's Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError("Chromium is missing: `make test` installs it, or apt-get install chromium.")


@pytest.fixture(scope="session")
def built() -> Path:
    """The built widget's folder."""
    build_widget.build(Settings.from_env())
    return build_widget.DIST


# Not for the session: while Playwright runs, this thread has an event loop, in which no asyncio test may start.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def running_gateway(built: Path) -> Iterator[FakeGateway]:
    gateway = FakeGateway()
    gateway.replies, gateway.card = talk.REPLIES, talk.help_card()
    gateway.page("/plain")
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(running_gateway: FakeGateway) -> Iterator[FakeGateway]:
    running_gateway.reset()
    yield running_gateway
    running_gateway.reset()


@pytest.fixture
def visit(browser: Browser, gateway: FakeGateway) -> Iterator[Visit]:
    """Open a page: visit(path="/plain", width=1280, height=800, …); a page that throws or breaks its policy fails the test.

    `like` opens it in that page's context; other arguments go to the new context.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(path: str = "/plain", width: int = 1280, height: int = 800, like: Any = None, **options: Any) -> Page:
        if like is None:
            contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
            contexts[-1].set_default_timeout(PATIENCE_MS)
        page = (like.context if like else contexts[-1]).new_page()
        page.on("pageerror", lambda error: problems.append(f"{error}"))
        page.on("console", lambda line: problems.append(line.text) if "Security Policy" in line.text or "Trusted" in line.text else None)
        page.goto(gateway.url + path if path.startswith("/") else path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems, problems
