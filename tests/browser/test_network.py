"""Real conditions: slow, cut, offline, failing gateways; reloads, two tabs, the back/forward cache."""
from __future__ import annotations

import threading

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import FLAGS, Visit, chromium
from tests.browser.fake_gateway import FakeGateway, Fault
from tests.browser.talk import QUESTION, ask, opened, write


def messages(gateway: FakeGateway) -> list[str]:
    """Return the ids under which messages were posted."""
    return [call["id"] for call in gateway.calls("POST", "/api/messages")]


def test_lost_answer_is_fetched_by_the_same_id(visit: Visit, gateway: FakeGateway) -> None:
    gateway.faults.append(Fault("/api/messages", after=True))
    page = opened(visit())
    ask(page)
    first, second = messages(gateway)
    assert first == second
    assert [len(said) for said in gateway.sessions.values()] == [1]
    expect(page.get_by_text("talking therapy")).to_have_count(1)


def test_message_that_cannot_be_sent_says_so_and_is_sent_again(visit: Visit, gateway: FakeGateway) -> None:
    gateway.faults.append(Fault("/api/messages", status=500, times=2))
    page = opened(visit())
    write(page, QUESTION)
    expect(page.get_by_text("Not sent.")).to_be_visible()
    expect(page.get_by_text("Your message did not reach us")).to_be_visible()
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.get_by_text("talking therapy")).to_be_visible()
    expect(page.get_by_role("log").locator(".visitor")).to_be_focused()
    assert page.get_by_text("Not sent.").count() == 0
    assert page.get_by_text("Your message did not reach us").count() == 0
    assert len(set(messages(gateway))) == 1 and len(messages(gateway)) == 3


def test_unavailable_gateway_leaves_helplines_and_ways_out(visit: Visit, gateway: FakeGateway) -> None:
    body = {"error": {"code": "unavailable"}, "help": gateway.card}
    gateway.faults.append(Fault("/api/messages", status=503, body=body, headers={"Retry-After": "1"}, times=2))
    page = opened(visit())
    write(page, QUESTION)
    expect(page.get_by_role("heading", name=gateway.card["services"][0]["name"], exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Find a therapist")).to_be_visible()
    expect(page.get_by_role("link", name="Write to us")).to_be_visible()
    expect(page.get_by_role("log").get_by_role("button", name="Get urgent help")).to_be_visible()


def test_refused_message_is_not_sent_over_and_over(visit: Visit, gateway: FakeGateway) -> None:
    gateway.faults.append(Fault("/api/messages", status=422, times=5))
    page = opened(visit())
    write(page, QUESTION)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert len(messages(gateway)) == 1


def test_too_many_messages_wait_as_long_as_the_gateway_asks(visit: Visit, gateway: FakeGateway) -> None:
    gateway.faults.append(Fault("/api/messages", status=429, headers={"Retry-After": "1"}))
    gateway.faults.append(Fault("/api/session", status=429, headers={"Retry-After": "1"}))
    page = opened(visit())
    ask(page)
    gateway.faults.append(Fault("/api/messages", status=429, headers={"Retry-After": "40"}, body={"error": {}, "help": gateway.card}))
    write(page, "one more")
    expect(page.get_by_text("many messages at once")).to_be_visible()


def test_message_too_long_for_the_gateway_brings_the_helplines(visit: Visit, gateway: FakeGateway) -> None:
    gateway.faults.append(Fault("/api/messages", status=413, body={"error": {}, "help": gateway.card}))
    page = opened(visit())
    write(page, "long for a gateway")
    expect(page.get_by_text("the message is too long")).to_be_visible()
    expect(page.get_by_role("heading", name=gateway.card["services"][0]["name"], exact=True)).to_be_visible()
    assert page.get_by_role("button", name="Try again").count() == 0


def test_message_over_the_limit_stays_in_the_text_area(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    text = "a" * 4001
    write(page, text)
    expect(page.get_by_text("4,001 of 4,000 characters")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value(text)
    page.get_by_label("Your message").fill(text[1:])
    page.keyboard.press("Enter")
    expect(page.get_by_text("You wrote:")).to_be_visible()


def test_offline_message_is_sent_on_coming_back(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    write(page, "Leeds")
    expect(page.get_by_text("Not sent: you are offline.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("Tom Okafor")).to_be_visible()
    assert page.get_by_text("you are offline").count() == 0
    assert page.get_by_text("Your message did not reach us").count() == 0


def test_launcher_works_offline_and_shows_contact_and_helplines(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    page.context.set_offline(True)
    opened(page)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    write(page, QUESTION)
    expect(page.get_by_role("link", name="Write to us")).to_be_visible()
    page.get_by_role("log").get_by_role("button", name="Get urgent help").click()
    expect(page.get_by_role("heading", name=gateway.card["services"][0]["name"], exact=True)).to_be_visible()


def test_slow_3g_carries_a_conversation(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    devtools = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 2000, "downloadThroughput": 50_000, "uploadThroughput": 50_000}  # bytes a second
    devtools.send("Network.emulateNetworkConditions", slow)
    write(opened(page), QUESTION)
    expect(page.get_by_text("Writing a reply")).to_be_visible()
    expect(page.get_by_text("talking therapy")).to_be_visible(timeout=15_000)
    assert len(messages(gateway)) == 1


def test_long_wait_is_owned_up_to(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    page.clock.install()
    gateway.faults.append(Fault("/api/messages", hold=threading.Event()))
    write(opened(page), QUESTION)
    expect(page.get_by_text("Writing a reply")).to_be_visible()
    page.clock.fast_forward(6500)
    expect(page.get_by_text("This is taking longer than usual.")).to_be_visible()


def test_gateway_that_never_answers_is_given_up_and_the_message_kept(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    page.clock.install()
    gateway.faults.append(Fault("/api/messages", hold=threading.Event(), status=500, times=3))
    write(opened(page), QUESTION)
    expect(page.get_by_text("Writing a reply")).to_be_visible()
    for _ in range(4):
        page.clock.fast_forward(16_000)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("log").get_by_text(QUESTION)).to_be_visible()


def test_reload_in_the_middle_of_a_reply_brings_the_reply_once(visit: Visit, gateway: FakeGateway) -> None:
    gateway.faults.append(Fault("/api/messages", hold=threading.Event()))
    page = opened(visit())
    write(page, QUESTION)
    expect(page.get_by_text("Writing a reply")).to_be_visible()
    page.wait_for_function("() => JSON.parse(Object.values(sessionStorage)[0]).token")
    page.reload()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("log").get_by_text(QUESTION)).to_be_visible()
    expect(page.get_by_text("talking therapy")).to_have_count(1)
    assert len(set(messages(gateway))) == 1
    assert len(gateway.calls("POST", "/api/session")) == 1


def test_what_came_while_the_page_was_away_is_fetched_on_return(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    (said,) = gateway.sessions.values()
    said.append(("late", [{"id": "late.0", "from": "bot", "type": "text", "text": "A late answer."}]))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("A late answer.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("A late answer.")).to_have_count(1)


def test_conversation_that_ended_on_the_server_begins_anew_with_the_message(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    gateway.sessions.clear()
    page.get_by_role("button", name="How does it work?").click()
    expect(page.get_by_text("You wrote: How does it work?")).to_be_visible()
    expect(page.get_by_text("A new chat has started.")).to_be_visible()
    assert len(gateway.calls("POST", "/api/session")) == 2


def test_messages_written_quickly_are_each_answered_once(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    for number in range(6):
        write(page, f"message {number}")
    for number in range(6):
        expect(page.get_by_text(f"You wrote: message {number}")).to_have_count(1)
    assert len(gateway.calls("POST", "/api/session")) == 1
    assert len(messages(gateway)) == 6


def test_two_tabs_hold_two_conversations(visit: Visit, gateway: FakeGateway) -> None:
    first = opened(visit())
    ask(first)
    second = opened(visit(like=first))
    assert second.get_by_text("talking therapy").count() == 0
    ask(second, "Leeds", "Tom Okafor")
    assert len(gateway.sessions) == 2
    assert first.get_by_text("Tom Okafor").count() == 0


def duplicate(page: Page) -> Page:
    """Open the page as a duplicated tab does: with a copy of its sessionStorage."""
    with page.context.expect_page() as opening:
        page.evaluate("window.open(location.href)")
    return opening.value


def test_duplicated_tab_starts_a_conversation_of_its_own(visit: Visit, gateway: FakeGateway) -> None:
    first = opened(visit())
    ask(first)
    second = duplicate(first)
    second.wait_for_function("() => sessionStorage.length === 0")
    opened(second)
    expect(second.get_by_text("The earlier chat goes on in your other tab.")).to_be_visible()
    assert second.get_by_text("talking therapy").count() == 0
    ask(second, "Leeds", "Tom Okafor")
    ask(first, "Find a therapist near me", "Where would you like to look?")
    assert sorted(len(said) for said in gateway.sessions.values()) == [1, 2]
    first.reload()
    expect(first.get_by_text("talking therapy")).to_be_visible()


def test_copy_whose_owner_is_gone_is_taken_over(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    # A crash leaves the mark of a running page behind.
    page.evaluate("""() => { const [[key, value]] = Object.entries(sessionStorage);
        addEventListener('pagehide', () => sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(value), live: true }))); }""")
    page.reload()
    expect(page.get_by_text("talking therapy")).to_be_visible()


def test_conversation_goes_along_to_the_next_page(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    page.goto(gateway.url + "/")
    expect(page.get_by_role("log").get_by_text("talking therapy")).to_be_visible()
    phone = opened(visit(width=375, height=720))
    ask(phone)
    phone.goto(gateway.url + "/")
    expect(phone.get_by_role("dialog")).to_be_hidden()
    opened(phone)
    expect(phone.get_by_role("log").get_by_text("talking therapy")).to_be_visible()


def test_page_comes_back_from_the_back_forward_cache_with_its_chat(browser: Browser, gateway: FakeGateway) -> None:
    # Playwright switches the cache off.
    switch = ["--disable-back-forward-cache"]
    with browser.browser_type.launch(executable_path=chromium(), args=FLAGS, ignore_default_args=switch) as cached:
        page = cached.new_page()
        page.goto(gateway.url + "/plain")
        page.evaluate("() => { window.mark = 1; addEventListener('pageshow', (event) => { window.cached = event.persisted; }); }")
        ask(opened(page))
        gateway.page("/elsewhere/widget")
        page.goto(gateway.page("/elsewhere", element=""))
        page.go_back(wait_until="commit")
        expect(page.get_by_text("talking therapy")).to_be_visible()
        assert page.evaluate("[window.mark, window.cached]") == [1, True]
        ask(page, "Leeds", "Tom Okafor")
        # What was said on another page meanwhile is not lost.
        page.goto(gateway.url + "/elsewhere/widget")
        ask(page, "long", "goes on for a good while")
        page.get_by_label("Your message").fill("a draft")
        page.go_back(wait_until="commit")
        expect(page.get_by_text("goes on for a good while")).to_be_visible()
        expect(page.get_by_label("Your message")).to_have_value("a draft")
        assert page.evaluate("window.mark") == 1
        page.goto(gateway.url + "/elsewhere/widget")
        page.evaluate("document.querySelector('abt-chat').deleteChat()")
        page.go_back(wait_until="commit")
        expect(page.get_by_text("talking therapy")).to_have_count(0)
        assert page.evaluate("[window.mark, sessionStorage.length]") == [1, 0]
    assert len(gateway.sessions) == 0
