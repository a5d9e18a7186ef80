"""What the fake gateway says, and the steps by which a test gets the widget into each of its states."""
from __future__ import annotations

import threading
from typing import Any, Callable

from playwright.sync_api import Page, expect

from assistant.settings import Settings
from scripts.build_widget import carried
from tests.browser.fake_gateway import FakeGateway, Fault

QUESTION = "What is attachment-based therapy?"
DISTRESS = "It all feels too much tonight"
REPLIES: dict[str, list[dict[str, Any]]] = {
    QUESTION: [{
        "type": "choices",
        "text": "Attachment-based therapy is a talking therapy about how you bond with other people. It looks at how early "
                "relationships, often with the people who brought you up, can influence how you feel and relate to others now. You and a "
                "therapist work together towards safer, more trusting relationships.",
        "choices": [{"label": "How does it work?", "choice": "token-works"}, {"label": "Who is it for?", "choice": "token-who"}],
    }],
    "token-works": [{
        "type": "text",
        "text": "It often has three parts:\n\n1. a safe and steady relationship\n2. looking at early experiences\n"
                "3. trying out other ways of being close\n\n"
                "More is at https://example.org/how-it-works, or write to info@example.org.",
    }],
    "Find a therapist near me": [{"type": "text", "text": "Where would you like to look? A town or a postcode's first part is enough."}],
    "Leeds": [{
        "type": "cards",
        "text": "Here are three therapists in or near Leeds.",
        "cards": [
            {"name": "Amina Farrow", "town": "Leeds", "formats": ["in person", "online"], "fee": "£60", "register": "BACP",
             "url": "/r/one"},
            {"name": "Rhiannon Llewellyn-Featherstonehaugh", "town": "Leeds", "formats": ["online"], "fee": "£55 to £75",
             "register": "UKCP", "url": "/r/two"},
            {"name": "Tom Okafor", "town": "Otley", "formats": ["in person"], "fee": None, "register": "NCPS", "url": "/r/three"},
        ],
    }, {"type": "links", "text": "", "links": [{"label": "See all results", "url": "/r/all"}]}],
    "long": [{"type": "text", "text": "This is one sentence of an answer that goes on for a good while. " * 40}],
}


def help_card() -> dict[str, Any]:
    """Return the answer to GET /api/help: what the widget carries, as the gateway would send it."""
    return {"id": "help.0", "from": "bot", "type": "helplines", "choices": [], **carried(Settings.from_env())["help"]}


REPLIES[DISTRESS] = [
    {"type": "text", "text": "It sounds as if things may be very hard right now, and I am glad you wrote. You need not carry this alone."},
    {**help_card(), "text": "These services are there for you now.", "services": help_card()["services"][:3],
     "choices": [{"label": "More support", "choice": "token-more"}]},
]


def opened(page: Page) -> Page:
    """Open the panel with the launcher."""
    page.get_by_role("button", name="Ask a question").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page


def write(page: Page, text: str) -> None:
    """Write a message and send it with Enter."""
    page.get_by_label("Your message").fill(text)
    page.get_by_label("Your message").press("Enter")


def ask(page: Page, text: str = QUESTION, answer: str = "talking therapy") -> None:
    """Send a message and wait for its answer."""
    write(page, text)
    expect(page.get_by_role("log").get_by_text(answer).last).to_be_visible()


def _waiting(page: Page, gateway: FakeGateway) -> None:
    gateway.faults.append(Fault("/api/messages", hold=threading.Event()))
    write(opened(page), QUESTION)
    expect(page.get_by_text("Writing a reply")).to_be_visible()


def _error(page: Page, gateway: FakeGateway) -> None:
    gateway.faults.append(Fault("/api/messages", status=503, body={"error": {"code": "unavailable"}, "help": gateway.card},
                                headers={"Retry-After": "1"}, times=2))
    write(opened(page), QUESTION)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def _offline(page: Page, gateway: FakeGateway) -> None:
    opened(page)
    page.context.set_offline(True)
    write(page, QUESTION)
    expect(page.get_by_text("Not sent: you are offline.")).to_be_visible()


def _used(page: Page, gateway: FakeGateway) -> None:
    ask(opened(page))
    page.get_by_role("button", name="How does it work?").click()
    expect(page.get_by_text("three parts")).to_be_visible()
    page.get_by_role("button", name="Yes, helpful").click()
    expect(page.get_by_text("Thank you for telling us.")).to_be_visible()


def _sheet(page: Page, gateway: FakeGateway) -> None:
    opened(page).get_by_role("button", name="Get urgent help").click()
    expect(page.get_by_role("heading", name="Get urgent help")).to_be_focused()


def _menu(page: Page, gateway: FakeGateway) -> None:
    opened(page).get_by_role("button", name="More").click()


def _delete(page: Page, gateway: FakeGateway) -> None:
    ask(opened(page))
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete my chat").click()


def _too_long(page: Page, gateway: FakeGateway) -> None:
    opened(page).get_by_label("Your message").fill("word " * 900)
    expect(page.get_by_text("This is too long.")).to_be_visible()


# Each state of the widget, reached as a visitor reaches it.
STATES: dict[str, Callable[[Page, FakeGateway], Any]] = {
    "closed": lambda page, gateway: None,
    "open": lambda page, gateway: opened(page),
    "waiting": _waiting,
    "choices": lambda page, gateway: ask(opened(page)),
    "used": _used,
    "cards": lambda page, gateway: ask(opened(page), "Leeds", "Tom Okafor"),
    "helplines": lambda page, gateway: ask(opened(page), DISTRESS, "More support"),
    "help": _sheet,
    "error": _error,
    "offline": _offline,
    "long": lambda page, gateway: ask(opened(page), "long", "goes on for a good while"),
    "toolong": _too_long,
    "menu": _menu,
    "delete": _delete,
}
