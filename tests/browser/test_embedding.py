"""On a site: strict policies, attributes, strings, methods and events, coming and going, no JavaScript."""
from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import pytest
from playwright.sync_api import Page, expect

from assistant.settings import ROOT
from scripts.build_widget import DIST, SCRIPT, WIDGET
from tests.browser.conftest import Visit
from tests.browser.fake_gateway import STRICT, FakeGateway, Fault
from tests.browser.talk import ask, opened, write

DOCUMENT = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
EXIT = re.search(r"EXIT = '(.+?)'", (WIDGET / "src" / "element.js").read_text()).group(1)  # type: ignore[union-attr]
CHAT = "document.querySelector('abt-chat')"


def test_script_with_styles_and_strings_is_within_20_kilobytes(built: object) -> None:
    assert len(gzip.compress(SCRIPT.read_bytes(), 9)) <= 20_000


def test_published_hash_is_that_of_the_script(built: object) -> None:
    expected = "sha384-" + base64.b64encode(hashlib.sha384(SCRIPT.read_bytes()).digest()).decode()
    assert (DIST / "abt-chat.js.sri").read_text().strip() == expected


def test_lock_names_no_registry(built: object) -> None:
    lock = json.loads((WIDGET / "package-lock.json").read_text())
    assert not any("resolved" in package for package in lock["packages"].values())
    assert "http" not in "".join(key for key in lock["packages"])


def test_source_never_parses_markup() -> None:
    source = "".join(path.read_text() for path in (WIDGET / "src").rglob("*.js"))
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage", "cookie ="):
        assert word not in source, word


def documented(heading: str) -> set[str]:
    """Return what stands in backticks in the first column of the tables under a heading of docs/embedding.md."""
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_document_names_every_attribute_property_part_method_and_event() -> None:
    script = "".join(path.read_text() for path in (WIDGET / "src").rglob("*.js"))
    styles = "".join(path.read_text() for path in (WIDGET / "src" / "styles").glob("*.css"))
    attributes = set(re.findall(r"(?:this|element)\.(?:get|has)Attribute\('([\w-]+)'\)", script))
    attributes |= set(re.findall(r":host\(\[(\w+)=", styles))
    assert documented("Attributes") == attributes | {"lang"}
    assert documented("Colours and measures") == set(re.findall(r"var\((--abt-[a-z-]+)", styles))
    parts = {part for value in re.findall(r"part: '([a-z -]+)'", script) for part in value.split()}
    assert set(re.findall(r"`([a-z-]+)`", DOCUMENT.split("Parts for `::part()`:")[1].split("\n")[0])) == parts
    names = documented("Methods and events")
    assert {name for name in names if name.startswith("abt-")} == {
        f"abt-{event}" for event in re.findall(r"event\('(\w+)'", script)}
    element = (WIDGET / "src" / "element.js").read_text()
    methods = {name.split("(")[0] for name in names if not name.startswith("abt-")}
    assert methods == {"open", "close", "send", "reset", "deleteChat", "exportTranscript"}
    assert all(re.search(rf"^  (async )?{method}\(", element, re.M) for method in methods)


def test_document_names_the_limits_in_force() -> None:
    assert "At most 20,000 bytes gzipped" in DOCUMENT
    assert EXIT in DOCUMENT


def test_works_under_the_strictest_policy(visit: Visit, gateway: FakeGateway) -> None:
    assert STRICT.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    page = opened(visit("/plain"))
    ask(page)
    ask(page, "Leeds", "Tom Okafor")
    page.get_by_role("button", name="More").click()
    with page.expect_download():
        page.get_by_role("button", name="Save as text").click()
    assert page.get_by_label("Your message").evaluate("node => getComputedStyle(node).borderRadius") != "0px"


def test_hash_in_the_page_lets_the_script_run(visit: Visit, gateway: FakeGateway) -> None:
    hash_ = (DIST / "abt-chat.js.sri").read_text().strip()
    page = '<abt-chat></abt-chat><script src="/widget/abt-chat.js" integrity="{}" crossorigin="anonymous"></script>'
    gateway.pages["/good"] = (page.format(hash_), STRICT)
    gateway.pages["/bad"] = (page.format("sha384-" + "A" * 64), STRICT)
    ask(opened(visit("/good")))
    assert visit("/bad").get_by_role("button").count() == 0


def test_without_javascript_the_links_of_the_page_stay(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    expect(page.get_by_role("link", name="Find a therapist")).to_be_visible()


def test_with_javascript_the_launcher_takes_their_place(visit: Visit) -> None:
    page = visit()
    expect(page.get_by_role("button", name="Ask a question")).to_be_visible()
    expect(page.get_by_role("link", name="Find a therapist")).to_be_hidden()


def test_gateway_of_another_origin_serves_the_site(visit: Visit, gateway: FakeGateway) -> None:
    gateway.pages["/site"] = (f'<abt-chat></abt-chat><script src="{gateway.url}/widget/abt-chat.js"></script>', "")
    page = visit(f"{gateway.site}/site")
    gateway.faults.append(Fault("/api/messages", status=429, headers={"Retry-After": "1"}))
    ask(opened(page))
    ask(page, "Leeds", "Tom Okafor")
    assert page.get_by_role("link", name="See profile: Amina Farrow").get_attribute("href") == f"{gateway.url}/r/one"
    page.evaluate(f"{CHAT}.deleteChat()")
    assert len(gateway.deleted) == 1


def test_site_that_the_gateway_does_not_know_is_told_that_nothing_was_sent(
        visit: Visit, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.pages["/site"] = (f'<abt-chat></abt-chat><script src="{gateway.url}/widget/abt-chat.js"></script>', "")
    page = visit(f"{gateway.site}/site")
    monkeypatch.setattr(gateway, "site", "")
    write(opened(page), "hello")
    expect(page.get_by_text("Not sent.")).to_be_visible()


def test_attributes_set_title_language_place_theme_and_server(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/attributes", policy="", element=(
        f'<abt-chat server="{gateway.url}/" title="Ask the clinic" lang="cy" position="start" theme="dark" open'
        ' style="--abt-accent: rgb(1, 2, 3)"></abt-chat>'))
    page = visit("/attributes")
    expect(page.get_by_role("dialog", name="Ask the clinic")).to_be_visible()
    assert page.locator("abt-chat .root").get_attribute("lang") == "cy"
    launcher = page.get_by_role("button", name="Ask a question")
    box = launcher.bounding_box()
    assert box and box["x"] < 100
    assert launcher.evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(1, 2, 3)"
    assert page.get_by_role("dialog").evaluate("node => getComputedStyle(node).backgroundColor") == "rgb(30, 29, 27)"
    page.evaluate(f"{CHAT}.setAttribute('title', 'Ask us')")
    expect(page.get_by_role("dialog", name="Ask us")).to_be_visible()
    page.evaluate(f"{CHAT}.removeAttribute('open')")
    expect(page.get_by_role("dialog")).to_be_hidden()
    ask(opened(page))


def test_parts_and_properties_carry_the_brand(visit: Visit, gateway: FakeGateway) -> None:
    style = "<style>abt-chat { --abt-radius: 3px; --abt-offset: 40px; } abt-chat::part(launcher) { border-radius: 4px; }</style>"
    gateway.page("/brand", policy="", head=style)
    page = opened(visit("/brand"))
    launcher = page.get_by_role("button", name="Ask a question")
    assert launcher.evaluate("node => getComputedStyle(node).borderRadius") == "4px"
    assert page.get_by_role("dialog").evaluate("node => getComputedStyle(node).borderRadius") == "3px"
    box = launcher.bounding_box()
    assert box and round(1280 - box["x"] - box["width"]) == 40


def test_strings_can_be_replaced_before_and_after_the_script(visit: Visit, gateway: FakeGateway) -> None:
    script = "document.querySelector('abt-chat').strings = { launcher: 'Holwch ni' }"
    gateway.page("/strings", policy="", element=f"<abt-chat></abt-chat><script>{script}</script>")
    page = visit("/strings")
    page.get_by_role("button", name="Holwch ni").click()
    page.get_by_label("Your message").fill("a draft")
    page.evaluate(f"{CHAT}.strings = {{ input: 'Eich neges' }}")
    expect(page.get_by_label("Eich neges")).to_have_value("a draft")
    expect(page.get_by_role("button", name="Ask a question")).to_be_visible()
    assert page.evaluate(f"Object.isFrozen({CHAT}.strings)")


def test_methods_do_what_the_buttons_do(visit: Visit, gateway: FakeGateway) -> None:
    page = visit()
    page.evaluate(f"{CHAT}.open()")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate(f"{CHAT}.send('Leeds')") is True
    expect(page.get_by_text("Tom Okafor")).to_be_visible()
    assert page.evaluate(f"{CHAT}.send('   ')") is False
    assert "You: Leeds" in page.evaluate(f"{CHAT}.exportTranscript()")
    page.evaluate(f"{CHAT}.reset()")
    assert page.get_by_role("log").inner_text() == "" and gateway.deleted == []
    page.evaluate(f"{CHAT}.send('Leeds')")
    page.evaluate(f"{CHAT}.deleteChat()")
    assert len(gateway.deleted) == 1
    page.evaluate(f"{CHAT}.close()")
    expect(page.get_by_role("dialog")).to_be_hidden()
    gateway.faults.append(Fault("/api/messages", status=422))
    assert page.evaluate(f"{CHAT}.send('Leeds')") is False


def test_reply_to_a_closed_panel_is_told_by_the_launcher(visit: Visit) -> None:
    page = visit()
    page.evaluate(f"{CHAT}.send('Leeds')")
    expect(page.get_by_role("button", name="Ask a question (new reply)")).to_be_visible()
    opened(page)
    expect(page.get_by_text("Tom Okafor")).to_be_visible()
    assert page.get_by_role("button", name="new reply").count() == 0


def live_objects(page: Page) -> dict[str, int]:
    """Return how many listeners, nodes and documents the page holds after a collection."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.enable")
    devtools.send("HeapProfiler.collectGarbage")
    devtools.send("HeapProfiler.collectGarbage")
    devtools.send("Performance.enable")
    metrics = {entry["name"]: int(entry["value"]) for entry in devtools.send("Performance.getMetrics")["metrics"]}
    devtools.detach()
    return {name: metrics[name] for name in ("JSEventListeners", "Nodes")}


def test_coming_and_going_ten_times_leaves_nothing(visit: Visit) -> None:
    page = visit()
    cycle = f"""async () => {{ {CHAT}.remove(); const chat = document.createElement('abt-chat'); document.body.append(chat);
        chat.open(); await chat.send('Leeds'); await chat.deleteChat(); chat.close(); }}"""
    page.evaluate(cycle)
    page.evaluate(cycle)
    before = live_objects(page)
    for _ in range(10):
        page.evaluate(cycle)
    after = live_objects(page)
    assert after["JSEventListeners"] <= before["JSEventListeners"], (before, after)
    assert after["Nodes"] <= before["Nodes"] + 20, (before, after)


def test_element_moved_within_the_page_keeps_its_conversation(visit: Visit, gateway: FakeGateway) -> None:
    page = opened(visit())
    ask(page)
    page.evaluate(f"document.querySelector('main').append({CHAT})")
    expect(page.get_by_text("talking therapy")).to_have_count(1)
    ask(page, "Leeds", "Tom Okafor")
    assert len(gateway.sessions) == 1


def test_script_loaded_twice_is_harmless(visit: Visit, gateway: FakeGateway) -> None:
    gateway.page("/twice", head='<script src="/widget/abt-chat.js?first" defer></script>')
    ask(opened(visit("/twice")))
