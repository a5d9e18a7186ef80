"""`python -m benchmarks.widget_speed`: how fast the widget is there, opens and scrolls, in Chromium on this machine.

Prints a table, then one line of JSON, in milliseconds: `launcher` (from the script's arrival to a launcher that can be
pressed: parse, run, draw), `open` (from the press to the panel on screen), `scroll_500` (time between frames while a
conversation of 500 messages scrolls through), each as median, 95th percentile and longest; and `bytes`, gzipped.
"""
from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
from typing import Any, Sequence

from playwright.sync_api import Browser, sync_playwright

from assistant.settings import Settings
from scripts import build_widget
from tests.browser.conftest import FLAGS, chromium
from tests.browser.fake_gateway import FakeGateway

READY = """document.addEventListener('abt-ready', () => {
    const script = performance.getEntriesByType('resource').find((entry) => entry.name.endsWith('/abt-chat.js'));
    window.launcherAfter = performance.now() - script.responseEnd; });"""
OPEN = """() => new Promise((done) => { const at = performance.now();
    document.querySelector('abt-chat').shadowRoot.querySelector('button').click();
    requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = () => done(performance.now() - at);
        channel.port2.postMessage(0); }); })"""
FILL = """() => { const { chat } = document.querySelector('abt-chat');
    for (let n = 0; n < 250; n += 1) {
        chat.add({ id: `v${n}`, from: 'visitor', text: `Question ${n}`, state: 'sent' });
        chat.add({ id: `b${n}`, from: 'bot', type: 'text', text: `Answer ${n}: ${'some words of an answer, '.repeat(12)}` });
    } }"""
SCROLL = """() => new Promise((done) => { const view = document.querySelector('abt-chat').shadowRoot.querySelector('.scroll');
    const step = view.scrollHeight / 240; const frames = []; view.scrollTop = 0; let before;
    const next = (now) => { if (before) frames.push(now - before); before = now; view.scrollTop += step;
        if (frames.length < 240) requestAnimationFrame(next); else done(frames); };
    requestAnimationFrame(next); })"""


def measure(browser: Browser, url: str, rounds: int) -> dict[str, Any]:
    """Return the figures of `rounds` fresh visits and of one long conversation."""
    launcher, opening = [], []
    for _ in range(rounds):
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.add_init_script(READY)
        page.goto(url, wait_until="load")
        launcher.append(page.evaluate("window.launcherAfter"))
        opening.append(page.evaluate(OPEN))
        page.context.close()
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(url, wait_until="load")
    page.evaluate(OPEN)
    page.evaluate(FILL)
    frames = page.evaluate(SCROLL)
    size = len(gzip.compress(build_widget.SCRIPT.read_bytes(), 9))
    return {"launcher": _spread(launcher), "open": _spread(opening), "scroll_500": _spread(frames), "bytes": size}


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    p95 = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
    return {"median": round(statistics.median(ordered), 1), "p95": round(p95, 1), "longest": round(ordered[-1], 1)}


def main(arguments: Sequence[str]) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="widget_speed", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="fresh visits to measure")
    rounds = parser.parse_args(arguments).rounds
    build_widget.build(Settings.from_env())
    gateway = FakeGateway()
    try:
        with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium(), args=FLAGS) as browser:
            found = measure(browser, gateway.page("/plain"), rounds)
    finally:
        gateway.close()
    print(f"{'ms':<12}{'median':>9}{'p95':>9}{'longest':>9}")
    for name in ("launcher", "open", "scroll_500"):
        print(f"{name:<12}" + "".join(f"{value:>9}" for value in found[name].values()))
    print(f"gzipped     {found['bytes']:>9} bytes")
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
