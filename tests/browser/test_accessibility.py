"""WCAG 2.2 A and AA: axe-core in every state, width and theme; the keyboard alone; what a screen reader is given."""
from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from scripts.build_widget import WIDGET
from tests.browser.conftest import Visit
from tests.browser.fake_gateway import FakeGateway, Fault
from tests.browser.talk import DISTRESS, QUESTION, STATES, ask, opened, write

AXE = WIDGET / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
WIDTHS = {320: 640, 768: 1024, 1280: 800}
THEMES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced colours": {"color_scheme": "light", "forced_colors": "active"},
}
ACTIVE = """() => { let at = document.activeElement;
    while (at.shadowRoot && at.shadowRoot.activeElement) at = at.shadowRoot.activeElement; %s }"""


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it is."""
    found = page.evaluate("tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })", TAGS)
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize("state", STATES)
def test_no_state_breaks_a_rule_at_any_width_or_theme(state: str, visit: Visit, gateway: FakeGateway) -> None:
    page = visit(reduced_motion="reduce")
    STATES[state](page, gateway)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme, media in THEMES.items():
            page.emulate_media(**media)
            assert violations(page) == [], f"{state} at {width} px, {theme}"


def test_demo_page_breaks_no_rule(visit: Visit) -> None:
    page = visit("/", reduced_motion="reduce")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for theme, media in THEMES.items():
        page.emulate_media(**media)
        assert violations(page) == [], theme


def test_keyboard_alone_leads_from_the_launcher_to_a_therapist(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    name = ACTIVE % "return at.getAttribute('aria-label') || at.textContent"

    def tab_to(text: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if text in page.evaluate(name):
                return
        raise AssertionError(f"Tab does not reach {text!r}")

    tab_to("Ask a question")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your message")).to_be_focused()
    page.keyboard.type("Leeds")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tom Okafor")).to_be_visible()
    expect(page.get_by_label("Your message")).to_be_focused()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if "Amina Farrow" in page.evaluate(name):
            break
    assert page.evaluate(ACTIVE % "return at.href") == f"{gateway.url}/r/one"
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Ask a question")).to_be_focused()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_every_stop_of_the_tab_key_is_seen_and_has_a_ring(visit: Visit) -> None:
    page = visit()
    ask(opened(page))
    page.get_by_role("dialog").focus()
    seen = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        ring, width, height, label = page.evaluate(ACTIVE % """const box = at.getBoundingClientRect();
            return [getComputedStyle(at).outlineStyle, box.width, box.height, at.id || at.textContent || at.ariaLabel];""")
        if label in seen:
            break
        seen.add(label)
        if label.startswith("A link") or not label.strip() or "A page" in label:
            continue
        assert ring != "none", label
        assert width >= 24 and height >= 24, label
    assert len(seen) > 8


@pytest.mark.parametrize("state", ["open", "choices", "cards", "helplines", "help", "error", "menu", "delete"])
def test_targets_are_44_pixels(state: str, visit: Visit, gateway: FakeGateway) -> None:
    page = visit(width=320, height=640)
    STATES[state](page, gateway)
    small = page.evaluate("""() => [...document.querySelector('abt-chat').shadowRoot.querySelectorAll('button, textarea, a[href]')]
        .filter((node) => node.checkVisibility() && !node.matches('.early, .bubble a, .notice a'))
        .map((node) => [node.textContent || node.ariaLabel || node.id, node.getBoundingClientRect()])
        .filter(([, box]) => Math.round(box.width) < 44 || Math.round(box.height) < 44)
        .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)""")
    assert small == []


def test_focus_stays_where_it_is_when_a_message_arrives(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    STATES["waiting"](page, gateway)
    page.get_by_role("button", name="Leave now").focus()
    gateway.faults[0].hold.set()  # type: ignore[union-attr]
    expect(page.get_by_text("talking therapy")).to_be_visible()
    expect(page.get_by_role("button", name="Leave now")).to_be_focused()


def test_used_choice_becomes_text_and_keeps_the_place_of_the_focus(visit: Visit) -> None:
    page = opened(visit())
    ask(page)
    page.get_by_role("button", name="Who is it for?").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("three parts")).to_be_visible()
    assert page.get_by_role("button", name="How does it work?").count() == 0
    assert page.get_by_role("button", name="Who is it for?").count() == 0
    assert "How does it work?" in page.evaluate(ACTIVE % "return at.textContent")
    page.keyboard.press("Tab")
    assert page.evaluate(ACTIVE % "return at.textContent").startswith("https://example.org/how-it-works")


def test_nothing_is_read_out_twice(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    page.evaluate("""() => { window.heard = []; const log = document.querySelector('abt-chat').shadowRoot.querySelector('[role=log]');
        new MutationObserver((changes) => { if (log.getAttribute('aria-live') !== 'off') for (const change of changes)
            for (const node of change.addedNodes) heard.push(node.textContent); }).observe(log, { childList: true, subtree: true }); }""")
    ask(page)
    page.get_by_role("button", name="How does it work?").click()
    expect(page.get_by_text("three parts")).to_be_visible()
    gateway.faults.append(Fault("/api/messages", status=422))
    write(page, "Leeds")
    expect(page.get_by_text("Not sent.")).to_be_visible()
    heard = page.evaluate("heard")
    for part in ("talking therapy", "three parts", "Not sent."):
        assert sum(part in text for text in heard) == 1, heard
    assert not any("chosen" in text for text in heard)


def test_only_the_latest_answer_is_rated(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    assert page.get_by_text("Was this helpful?").count() == 0
    ask(page)
    ask(page, "long", "goes on for a good while")
    assert page.get_by_role("button", name="Yes, helpful").count() == 1
    page.get_by_role("button", name="No, not helpful").click()
    expect(page.get_by_text("Thank you for telling us.")).to_be_focused()
    (vote,) = gateway.calls("POST", "/api/feedback")
    assert vote["helpful"] is False and vote["message"].endswith(".0")
    ask(page, DISTRESS, "More support")
    assert page.get_by_role("button", name="Yes, helpful").count() == 0


def test_enter_sends_and_shift_enter_makes_a_new_line(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    page.get_by_label("Your message").press("Enter")
    page.get_by_label("Your message").press_sequentially("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log").get_by_text("You wrote:")).to_be_visible()
    assert [call["text"] for call in gateway.calls("POST", "/api/messages")] == ["one\ntwo"]


def test_enter_of_an_input_method_does_not_send(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    devtools = page.context.new_cdp_session(page)
    devtools.send("Input.imeSetComposition", {"text": "こん", "selectionStart": 2, "selectionEnd": 2})
    for extra in ("isComposing: true", "keyCode: 229"):
        page.get_by_label("Your message").evaluate(
            f"node => node.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true, cancelable: true, {extra} }}))")
    assert page.get_by_label("Your message").input_value() == "こん"
    devtools.send("Input.insertText", {"text": "こんにちは"})
    page.keyboard.press("Enter")
    expect(page.get_by_text("You wrote: こんにちは")).to_be_visible()
    assert [call["text"] for call in gateway.calls("POST", "/api/messages")] == ["こんにちは"]


def test_escape_goes_back_one_step_at_a_time(visit: Visit) -> None:
    page = opened(visit())
    page.get_by_role("button", name="Get urgent help").click()
    page.get_by_role("button", name="More").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Delete my chat")).to_be_hidden()
    expect(page.get_by_role("heading", name="Get urgent help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Get urgent help")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Ask a question")).to_be_focused()


def test_draft_is_kept_when_the_panel_closes_and_the_page_reloads(visit: Visit) -> None:
    page = opened(visit())
    ask(page)
    page.get_by_label("Your message").fill("half a thought")
    page.keyboard.press("Escape")
    opened(page)
    expect(page.get_by_label("Your message")).to_have_value("half a thought")
    page.reload()
    expect(page.get_by_label("Your message")).to_have_value("half a thought")


def test_desktop_panel_leaves_the_page_usable(visit: Visit) -> None:
    page = opened(visit())
    dialog = page.get_by_role("dialog", name="Ask about therapy")
    expect(dialog).to_have_attribute("aria-modal", "false")
    page.get_by_role("link", name="A link of the page").focus()
    expect(page.get_by_role("link", name="A link of the page")).to_be_focused()
    expect(page.get_by_role("button", name="Ask a question")).to_have_attribute("aria-expanded", "true")


def test_phone_panel_is_modal_and_the_page_behind_it_inert(visit: Visit) -> None:
    page = opened(visit(width=375, height=720, reduced_motion="reduce"))
    expect(page.get_by_role("dialog", name="Ask about therapy")).to_have_attribute("aria-modal", "true")
    expect(page.get_by_role("heading", name="Ask about therapy")).to_be_focused()
    link = page.locator("main a")
    link.evaluate("node => node.focus()")
    assert link.evaluate("node => document.activeElement !== node")
    box = page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 375, "height": 720}


def test_turning_a_tablet_keeps_chat_and_focus(visit: Visit) -> None:
    page = opened(visit(width=1024, height=700))
    page.get_by_label("Your message").fill("still here")
    page.set_viewport_size({"width": 400, "height": 700})
    expect(page.get_by_role("dialog")).to_have_attribute("aria-modal", "true")
    expect(page.get_by_label("Your message")).to_be_focused()
    page.set_viewport_size({"width": 1024, "height": 700})
    expect(page.get_by_role("dialog")).to_have_attribute("aria-modal", "false")
    expect(page.get_by_label("Your message")).to_be_focused()
    expect(page.get_by_label("Your message")).to_have_value("still here")


def test_keyboard_of_a_phone_does_not_cover_the_text_area(visit: Visit) -> None:
    page = visit(width=375, height=720, has_touch=True, is_mobile=True, reduced_motion="reduce")
    opened(page)
    ask(page)
    # What a keyboard does: the visual viewport shrinks, the layout stays.
    page.evaluate("""() => { for (const [name, value] of [['height', 380], ['offsetTop', 40]])
        Object.defineProperty(visualViewport, name, { value, configurable: true }); visualViewport.dispatchEvent(new Event('resize')); }""")
    box = page.get_by_label("Your message").bounding_box()
    assert box and box["y"] + box["height"] <= 40 + 380
    assert page.get_by_role("dialog").bounding_box() == {"x": 0, "y": 40, "width": 375, "height": 380}


@pytest.mark.parametrize("state", ["open", "choices", "cards", "helplines", "help", "error", "delete", "toolong"])
def test_everything_is_reachable_at_400_percent_zoom(state: str, visit: Visit, gateway: FakeGateway) -> None:
    page = visit(width=320, height=200)  # 1280 by 800 at 400%
    STATES[state](page, gateway)
    panel = page.get_by_role("dialog")
    assert panel.evaluate("node => node.scrollWidth <= node.clientWidth")
    for control in panel.locator("button:visible, textarea:visible, a.action:visible").all():
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 320, control.text_content()


@pytest.mark.parametrize("width", [320, 1280])
def test_text_of_twice_the_size_fits(width: int, visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/large", policy="", head="<style>abt-chat { font-size: 200%; }</style>")
    page = visit("/large", width=width, height=800)
    ask(opened(page), "Leeds", "Tom Okafor")
    cut = page.evaluate("""() => [...document.querySelector('abt-chat').shadowRoot.querySelectorAll('.panel *')]
        .filter((node) => node.checkVisibility() && !node.matches('.sr, .early, textarea') && getComputedStyle(node).display !== 'inline')
        .filter((node) => node.scrollWidth > node.clientWidth + 1)
        .map((node) => node.className || node.localName)""")
    assert cut == []
    assert page.get_by_label("Your message").evaluate("node => parseFloat(getComputedStyle(node).fontSize)") == 32


def test_page_with_another_root_size_does_not_change_the_widget(visit: Visit, gateway: FakeGateway) -> None:
    style = "<style>html { font-size: 62.5%; } button { padding: 3rem; color: red; } * { margin: 9px; }</style>"
    gateway.page("/small-root", policy="", head=style)
    page = opened(visit("/small-root"))
    assert page.get_by_label("Your message").evaluate("node => getComputedStyle(node).fontSize") == "16px"
    assert page.get_by_role("button", name="Send").evaluate("node => getComputedStyle(node).paddingTop") == "0px"


def test_reduced_motion_means_none(visit: Visit, gateway: FakeGateway) -> None:
    page = visit(reduced_motion="reduce")
    STATES["waiting"](page, gateway)
    assert page.evaluate("() => document.getAnimations().concat(document.querySelector('abt-chat').shadowRoot.getAnimations()).length") == 0
    moving = visit()
    gateway.reset()
    STATES["waiting"](moving, gateway)
    assert moving.evaluate("() => document.querySelector('abt-chat').shadowRoot.getAnimations().length") > 0


def test_screen_reader_order_from_launcher_to_card(visit: Visit) -> None:
    page = visit()
    expect(page.locator("abt-chat")).to_match_aria_snapshot('- button "Ask a question"')
    ask(opened(page), "Leeds", "Tom Okafor")
    expect(page.get_by_role("dialog")).to_match_aria_snapshot("""
      - dialog "Ask about therapy":
        - link "Leave this page quickly"
        - banner:
          - heading "Ask about therapy" [level=2]
          - paragraph: Automated assistant
          - button "More"
          - button "Close chat"
          - button "Get urgent help"
          - button "Leave now"
        - group "Conversation":
          - paragraph: /Hello\\. I can answer questions/
          - heading "Before you start" [level=3]
          - paragraph: /automated assistant/
          - list "Choices"
          - log "Messages":
            - text: "You: Leeds Assistant:"
            - paragraph: Here are three therapists in or near Leeds.
            - list:
              - listitem:
                - heading "Amina Farrow" [level=3]
                - paragraph: Leeds · in person · online
                - paragraph: BACP · £60
                - 'link "See profile: Amina Farrow (opens in a new tab)"'
          - group "Was this helpful?":
            - button "Yes, helpful"
            - button "No, not helpful"
        - status
        - text: Your message
        - textbox "Your message"
        - button "Send"
    """)


def test_restored_messages_are_not_read_out_again(visit: Visit) -> None:
    page = opened(visit())
    ask(page)
    page.add_init_script("""document.addEventListener('abt-open', () => {
        const log = document.querySelector('abt-chat').shadowRoot.querySelector('[role=log]');
        window.atOpen = [log.getAttribute('aria-live'), log.childElementCount]; })""")
    page.reload()
    expect(page.get_by_text("talking therapy")).to_be_visible()
    assert page.evaluate("window.atOpen") == ["off", 2]
    page.wait_for_function("() => !document.querySelector('abt-chat').shadowRoot.querySelector('[role=log]').hasAttribute('aria-live')")
    write(page, QUESTION)
    expect(page.get_by_text("talking therapy")).to_have_count(2)
