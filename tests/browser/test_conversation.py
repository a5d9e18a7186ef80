"""What a visitor sees and does: questions, choices, therapists, helplines, saving, deleting, hostile replies."""
from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.fake_gateway import REFERENCE, FakeGateway, Fault
from tests.browser.talk import DISTRESS, QUESTION, ask, opened, write


def test_what_this_is_and_what_is_kept_is_said_before_the_first_message(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/private", element='<abt-chat privacy-url="https://example.org/privacy"></abt-chat>')
    page = opened(visit("/private"))
    for text in ("automated assistant", "information only", "kept for 24 hours", "Your browser’s history will still show the visit"):
        expect(page.get_by_role("group", name="Conversation")).to_contain_text(text)
    expect(page.get_by_role("link", name="Privacy notice")).to_have_attribute("href", "https://example.org/privacy")
    expect(page.get_by_role("list", name="Suggested questions").get_by_role("button")).to_have_count(3)


def test_suggested_question_is_sent_and_the_others_become_text(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    page.get_by_role("button", name=QUESTION).click()
    expect(page.get_by_text("talking therapy")).to_be_visible()
    assert [call["text"] for call in gateway.calls("POST", "/api/messages")] == [QUESTION]
    assert page.get_by_role("button", name="Find a therapist near me").count() == 0
    expect(page.get_by_text("Find a therapist near me")).to_be_visible()


def test_choice_is_sent_as_its_token_and_shown_as_its_label(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    page.get_by_role("button", name="How does it work?").click()
    log = page.get_by_role("log")
    expect(log.get_by_role("list").nth(1).get_by_role("listitem")).to_have_text(
        ["a safe and steady relationship", "looking at early experiences", "trying out other ways of being close"])
    sent = gateway.calls("POST", "/api/messages")[1]
    assert sent["choice"] == "token-works" and "text" not in sent
    expect(log.locator(".visitor").nth(1)).to_have_text("You:How does it work?")
    expect(log.get_by_role("link", name="https://example.org/how-it-works")).to_have_attribute("rel", "noopener noreferrer")
    expect(log.get_by_role("link", name="info@example.org")).to_have_attribute("href", "mailto:info@example.org")


def test_helplines_are_links_that_call_and_text(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page, DISTRESS, "More support")
    services = gateway.card["services"][:3]
    for service in services:
        card = page.get_by_role("log").get_by_role("listitem").filter(has=page.get_by_role("heading", name=service["name"], exact=True))
        expect(card).to_be_visible()
        links = {link.get_attribute("href") for link in card.get_by_role("link").all()}
        assert len(links) == sum(bool(service.get(way)) for way in ("call", "sms", "email", "web"))
        for link in links:
            assert link and link.startswith(("tel:", "sms:", "mailto:", "https://"))
    assert any(service.get("call") for service in services) and any(service.get("sms") for service in services)


def test_urgent_help_is_shown_without_a_message_and_without_the_gateway(visit: Visit, gateway: FakeGateway) -> None:
    page = visit(width=375, height=720)
    page.context.set_offline(True)
    opened(page).get_by_role("button", name="Get urgent help").click()
    page.get_by_text("More services").click()
    for service in gateway.card["services"]:
        expect(page.get_by_role("heading", name=service["name"], exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="@")).to_be_visible()
    assert gateway.requests == []
    page.get_by_role("button", name="Back to the chat").click()
    expect(page.get_by_role("button", name="Get urgent help")).to_be_focused()


def test_urgent_help_follows_the_gateway_when_it_answers(visit: Visit, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    (service, *_) = gateway.card["services"]
    monkeypatch.setattr(gateway, "card", {**gateway.card, "services": [{**service, "name": "A service that opened today"}]})
    page = opened(visit())
    page.get_by_role("button", name="Get urgent help").click()
    expect(page.get_by_role("heading", name="A service that opened today")).to_be_visible()
    assert [(method, path) for method, path, _ in gateway.requests] == [("GET", "/api/help")]
    assert gateway.helped == [""]


def test_gateway_learns_in_which_conversation_urgent_help_was_opened(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    with page.expect_response("**/api/help"):
        page.get_by_role("button", name="Get urgent help").click()
    (token,) = gateway.sessions
    assert gateway.helped == [token]


def test_chat_is_saved_as_text_with_its_reference(visit: Visit, gateway: FakeGateway, tmp_path: Path) -> None:
    page = opened(visit())
    ask(page)
    ask(page, "Leeds", "Tom Okafor")
    page.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as text").click()
    assert download.value.suggested_filename == "chat.txt"
    download.value.save_as(tmp_path / "chat.txt")
    text = (tmp_path / "chat.txt").read_text(encoding="utf-8")
    for part in (f"You: {QUESTION}", "Assistant: Attachment-based therapy is", "- How does it work?", f"{gateway.url}/r/one",
                 "- Amina Farrow, Leeds, in person, online", f"Reference: {REFERENCE}", "information only"):
        assert part in text
    assert text.count("Reference:") == 2


def test_deleting_asks_first_and_then_deletes_everywhere(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete my chat").click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Your chat is deleted")).to_be_visible()
    assert len(gateway.deleted) == 1
    assert page.get_by_role("log").inner_text() == ""
    assert page.evaluate("sessionStorage.length") == 0
    expect(page.get_by_role("button", name=QUESTION)).to_be_visible()
    ask(page)
    assert len(gateway.calls("POST", "/api/session")) == 2


def test_chat_that_could_not_be_deleted_is_still_there_and_says_so(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    gateway.faults.append(Fault("/api/session", "DELETE", status=503))
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete my chat").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("could not be deleted")).to_be_visible()
    expect(page.get_by_text("talking therapy")).to_be_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Your chat is deleted")).to_be_visible()


def test_chat_that_the_gateway_deleted_is_cleared_here(visit: Visit, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(visit())
    ask(page)
    real = gateway.answer

    def ending(method: str, path: str, *rest: Any) -> tuple[int, Any]:
        status, value = real(method, path, *rest)
        if (method, path) == ("POST", "/api/messages"):
            value = {"messages": value["messages"], "cursor": "3", "ended": True}
        return status, value

    monkeypatch.setattr(gateway, "answer", ending)
    write(page, "delete my data")
    expect(page.get_by_text("You wrote: delete my data")).to_be_visible()
    assert page.get_by_text("talking therapy").count() == 0
    assert page.evaluate("sessionStorage.length") == 0


HOSTILE = ('<img src=x onerror="document.title=1"><script>document.title=2</script> [press](javascript:document.title=3) '
           '[data](data:text/html,x) javascript:document.title=4 <a href="https://evil.example">a</a> '
           + "A" * 6000 + " " + "[" * 2000 + "@" * 2000)


def test_hostile_reply_is_shown_as_text(visit: Visit, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(HOSTILE) > 10_000
    bad = "javascript:document.title=5"
    monkeypatch.setitem(gateway.replies, "hostile", [
        {"type": "text", "text": HOSTILE},
        {"type": "links", "text": "", "links": [{"label": "<i>bad</i>", "url": bad}, {"label": "vb", "url": "vbscript:x"}, None, 5]},
        {"type": "cards", "text": "", "cards": [{"name": "<b>Bad</b>", "town": {"a": 1}, "formats": 7, "fee": [], "url": bad}, "x"]},
        {"type": "helplines", "text": "", "services": [{"name": "Bad", "call": bad, "web": bad, "sms": "<b>1</b>", "email": bad}]},
        {"type": "choices", "text": "", "choices": [{"label": "<u>bad</u>", "choice": "x"}, None]},
        {"type": "unknown", "text": "of another kind"},
        {"type": "cards", "text": "no list", "cards": "none"},
    ])
    page = opened(visit(width=320, height=640))
    ask(page, "hostile", "no list")
    log = page.get_by_role("log")
    shown = log.inner_text()
    for part in ("<img src=x", "[press](javascript:", "<i>bad</i>", "<b>Bad</b>", "<u>bad</u>", "of another kind", "A" * 6000):
        assert part in shown
    assert page.title() == "A page"
    assert all(link.get_attribute("href").split(":")[0] in ("https", "mailto", "tel", "sms")  # type: ignore[union-attr]
               for link in log.get_by_role("link").all())
    assert log.locator("img, script, iframe, i, b, u").count() == 0
    assert page.get_by_role("dialog").evaluate("node => node.scrollWidth <= node.clientWidth")
    page.reload()
    expect(page.get_by_text("no list")).to_be_visible()


def test_visitors_own_words_never_become_links(visit: Visit) -> None:
    page = opened(visit())
    ask(page, "<b>see</b> https://evil.example [x](https://evil.example)", "You wrote:")
    mine = page.get_by_role("log").locator(".visitor")
    expect(mine).to_contain_text("<b>see</b> https://evil.example [x](https://evil.example)")
    assert mine.get_by_role("link").count() == 0


def test_long_answer_is_shown_from_its_beginning(visit: Visit) -> None:
    page = opened(visit())
    ask(page, "long", "goes on for a good while")
    answer = page.get_by_text("goes on for a good while").bounding_box()
    view = page.get_by_role("group", name="Conversation").bounding_box()
    assert answer and view and view["y"] <= answer["y"] < view["y"] + view["height"] / 2


def test_reader_is_not_moved_when_a_message_arrives(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page, "long", "goes on for a good while")
    gateway.faults.append(Fault("/api/messages", hold=threading.Event()))
    write(page, QUESTION)
    view = page.get_by_role("group", name="Conversation")
    view.evaluate("node => { node.scrollTop = 40; }")
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
    gateway.faults[0].hold.set()  # type: ignore[union-attr]
    expect(page.get_by_text("talking therapy")).to_be_attached()
    assert view.evaluate("node => node.scrollTop") == 40
    page.get_by_role("button", name="Latest message").click()
    expect(page.get_by_text("talking therapy")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Latest message")).to_be_hidden()


def test_five_hundred_messages_are_kept_and_shown(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    page.evaluate("""() => { const chat = document.querySelector('abt-chat').chat;
        for (let n = 0; n < 250; n += 1) chat.state.items.push({ id: `v${n}`, from: 'visitor', text: `Question ${n}`, state: 'sent' },
            { id: `b${n}`, from: 'bot', type: 'text', text: `Answer ${n} `.repeat(20) });
        chat.save(); }""")
    page.reload()
    expect(page.get_by_text("Answer 249").last).to_be_in_viewport()
    assert page.get_by_role("log").evaluate("node => node.childElementCount") == 500
    ask(page, "Leeds", "Tom Okafor")
