"""What leaves the page, what is kept in the browser, how it ends, and how a visitor leaves quickly."""
from __future__ import annotations

import json

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Visit
from tests.browser.fake_gateway import FakeGateway
from tests.browser.talk import QUESTION, ask, opened

EXIT = '<abt-chat exit-url="/elsewhere"></abt-chat>'
MINUTE = 60_000


def stored(page: Page) -> int:
    """Return how much the site's storages hold."""
    return page.evaluate("""async () => sessionStorage.length + localStorage.length + document.cookie.length
        + (await indexedDB.databases()).length""")


def test_nothing_is_requested_or_stored_before_the_first_message(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request))
    opened(page)
    page.get_by_label("Your message").fill("a draft")
    page.keyboard.press("Escape")
    opened(page)
    page.get_by_role("button", name="More").click()
    assert seen == [] and gateway.requests == [] and stored(page) == 0
    ask(page)
    assert [(method, path) for method, path, _ in gateway.requests] == [("POST", "/api/session"), ("POST", "/api/messages")]
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [1, 0, ""]


def test_only_the_gateway_is_spoken_to_and_without_cookies_or_referrer(visit: Visit, gateway: FakeGateway) -> None:
    page = visit("/plain?private=1")
    page.context.add_cookies([{"name": "site", "value": "1", "url": gateway.url}])
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request))
    ask(opened(page))
    assert seen and all(request.url.startswith(gateway.url + "/api/") for request in seen)
    for request in seen:
        headers = request.all_headers()
        assert "cookie" not in headers and "referer" not in headers


def test_without_persistence_nothing_is_stored(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/forgetful", element='<abt-chat persist="none"></abt-chat>')
    page = opened(visit("/forgetful"))
    ask(page)
    assert stored(page) == 0
    page.reload()
    assert opened(page).get_by_text("talking therapy").count() == 0


def test_blocked_storage_does_not_stop_a_conversation(visit: Visit) -> None:
    page = visit()
    page.evaluate("Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('blocked', 'SecurityError'); } })")
    ask(opened(page))


def test_chat_warns_and_then_ends_after_thirty_idle_minutes(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    page.clock.install()
    ask(opened(page))
    page.clock.fast_forward(28 * MINUTE + 1000)
    expect(page.get_by_text("This chat ends in two minutes")).to_be_visible()
    page.get_by_role("button", name="Carry on").click()
    expect(page.get_by_text("This chat ends in two minutes")).to_be_hidden()
    expect(page.get_by_label("Your message")).to_be_focused()
    page.clock.fast_forward(28 * MINUTE + 1000)
    expect(page.get_by_text("This chat ends in two minutes")).to_be_visible()
    assert page.get_by_text("talking therapy").count() == 1
    page.clock.fast_forward(2 * MINUTE)
    expect(page.get_by_text("The chat ended after 30 minutes")).to_be_visible()
    assert page.get_by_text("talking therapy").count() == 0
    assert stored(page) == 0
    ask(page)
    assert len(gateway.sessions) == 2


def test_chat_that_slept_too_long_is_not_shown_again(visit: Visit) -> None:
    page = opened(visit())
    ask(page)
    page.evaluate("""() => { const [[key, value]] = Object.entries(sessionStorage); document.querySelector('abt-chat').remove();
        sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(value), touched: Date.now() - 31 * 60000 })); }""")
    page.reload()
    assert opened(page).get_by_text("talking therapy").count() == 0
    assert stored(page) == 0


def leaves(page: Page, gateway: FakeGateway) -> None:
    """Check that the page has gone for good and that the chat is deleted on both sides."""
    page.wait_for_url("**/elsewhere")
    assert page.evaluate("sessionStorage.length") == 0
    for _ in range(100):
        if gateway.deleted:
            break
        page.wait_for_timeout(50)
    assert len(gateway.deleted) == 1 and gateway.sessions == {}


def test_button_leaves_quickly_and_leaves_nothing_behind(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/elsewhere", element="")
    gateway.page("/exit", element=EXIT)
    page = visit()
    page.goto(gateway.url + "/exit")
    ask(opened(page))
    page.get_by_role("button", name="Leave now").click()
    leaves(page, gateway)
    page.go_back()
    assert page.url == gateway.url + "/plain"
    assert opened(page).get_by_text("talking therapy").count() == 0


def test_leaving_deletes_on_a_gateway_of_another_origin(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/elsewhere", element="")
    gateway.pages["/site"] = (EXIT + f'<script src="{gateway.url}/widget/abt-chat.js"></script>', "")
    page = visit(f"{gateway.site}/site")
    ask(opened(page))
    page.get_by_role("button", name="Leave now").click()
    leaves(page, gateway)


def test_link_in_the_tab_order_leaves_quickly(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/elsewhere", element="")
    gateway.page("/exit", element=EXIT)
    page = visit("/exit")
    ask(opened(page))
    link = page.get_by_role("link", name="Leave this page quickly")
    link.focus()
    box = link.bounding_box()
    assert box and box["height"] >= 24 and box["width"] > 200
    page.keyboard.press("Enter")
    leaves(page, gateway)


def test_shift_three_times_leaves_quickly(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/elsewhere", element="")
    gateway.page("/exit", element=EXIT)
    page = visit("/exit")
    ask(opened(page))
    for _ in range(3):
        page.keyboard.press("Shift")
    leaves(page, gateway)


def test_shift_while_typing_does_not_leave(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/elsewhere", element="")
    gateway.page("/exit", element=EXIT)
    page = opened(visit("/exit"))
    field = page.get_by_label("Your message")
    for _ in range(4):
        page.keyboard.press("Shift+A")
    page.keyboard.press("Shift")
    page.keyboard.press("Shift")
    page.keyboard.press("b")
    page.keyboard.press("Shift")
    expect(field).to_have_value("AAAAb")
    page.keyboard.press("Escape")
    for _ in range(3):
        page.keyboard.press("Shift")
    assert page.url == gateway.url + "/exit"


def test_shift_pressed_slowly_does_not_leave(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/exit", element=EXIT)
    page = opened(visit("/exit"))
    stamp = """(times) => times.forEach((at) => ['keydown', 'keyup'].forEach((type) => {
        const event = new KeyboardEvent(type, { key: 'Shift' });
        Object.defineProperty(event, 'timeStamp', { value: at }); document.dispatchEvent(event); }))"""
    page.evaluate(stamp, [10_000, 14_000, 19_500])
    assert page.url == gateway.url + "/exit"
    assert page.get_by_role("dialog", name="Leaving this page").count() == 0


def test_page_is_covered_before_the_next_one_arrives(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/exit", element='<abt-chat exit-url="/nothing"></abt-chat>')  # Answered by 204: the page stays as it is.
    page = visit("/exit")
    ask(opened(page))
    page.get_by_role("button", name="Leave now").click()
    veil = page.get_by_role("dialog", name="Leaving this page")
    assert veil.bounding_box() == {"x": 0, "y": 0, "width": 1280, "height": 800}
    assert veil.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(255, 255, 255)"
    assert page.title() == "Leaving this page"


def test_no_event_carries_a_word_of_the_conversation(visit: Visit) -> None:
    page = visit()
    page.evaluate("""() => { window.events = [];
        for (const name of ['ready', 'open', 'close', 'sent', 'received', 'error', 'expired', 'deleted'])
        document.addEventListener(`abt-${name}`, (event) => events.push([name, event.detail])); }""")
    opened(page)
    ask(page)
    page.evaluate("document.querySelector('abt-chat').deleteChat()")
    page.get_by_role("button", name="Close chat").click()
    page.wait_for_function("() => events.length >= 5")
    events = page.evaluate("events")
    assert [name for name, _ in events] == ["open", "sent", "received", "deleted", "close"]
    assert "therapy" not in json.dumps(events) and QUESTION not in json.dumps(events)
