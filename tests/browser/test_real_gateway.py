"""The widget on the demo page of the real gateway, with Rasa away: what it says then is the gateway's own."""
from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

import pytest
import requests
from playwright.sync_api import expect

from assistant.settings import ROOT
from scripts.build_widget import DIST, SCRIPT
from tests.browser.conftest import Visit
from tests.browser.talk import opened, write

START_SECONDS = 120.0  # The first start fits the safety check.


@pytest.fixture(scope="module")
def real(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway of its own process, whose Rasa does not answer."""
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    folder = tmp_path_factory.mktemp("gateway")
    env = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
    env |= {"ASSISTANT_PORT": str(ports[0]), "ASSISTANT_RASA_URL": f"http://127.0.0.1:{ports[1]}", "ASSISTANT_VAR": str(folder)}
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "gateway"], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        for _ in range(int(START_SECONDS / 0.1)):
            if b"ready at" in (folder / "log").read_bytes():
                break
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            time.sleep(0.1)
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        process.terminate()
        process.wait(20)


def test_widget_is_served_packed_public_and_with_its_hash(real: str) -> None:
    plain = requests.get(f"{real}/widget/abt-chat.js", headers={"Accept-Encoding": "identity"})
    assert plain.content == SCRIPT.read_bytes()
    assert plain.headers["access-control-allow-origin"] == "*"
    assert plain.headers["cross-origin-resource-policy"] == "cross-origin"
    packed = requests.get(f"{real}/widget/abt-chat.js", stream=True)
    assert packed.headers["content-encoding"] == "gzip" and int(packed.headers["content-length"]) <= 20_000
    assert gzip.decompress(packed.raw.read()) == plain.content
    again = requests.get(f"{real}/widget/abt-chat.js", headers={"If-None-Match": plain.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert requests.get(f"{real}/widget/abt-chat.js.sri").text == (DIST / "abt-chat.js.sri").read_text()
    assert requests.get(f"{real}/widget/..%2fpackage.json").status_code == 404


def test_question_gets_an_honest_line_and_ways_out(visit: Visit, real: str) -> None:
    page = opened(visit(real + "/"))
    write(page, "How many sessions will I need?")
    log = page.get_by_role("log")
    expect(log.get_by_role("link", name="Find a therapist")).to_be_visible()
    expect(log.get_by_role("link", name="Write to us")).to_be_visible()
    page.get_by_role("button", name="No, not helpful").click()
    expect(page.get_by_text("Thank you for telling us.")).to_be_visible()
    page.reload()
    expect(log.get_by_role("link", name="Write to us")).to_have_count(1)
    assert "Reference: " in page.evaluate("document.querySelector('abt-chat').exportTranscript()")


def test_distress_gets_helplines_and_more_support(visit: Visit, real: str) -> None:
    page = opened(visit(real + "/"))
    write(page, "I want to die")
    log = page.get_by_role("log")
    expect(log.get_by_role("link", name="Call 999")).to_be_visible()
    log.get_by_role("button", name="More support").click()
    expect(log.get_by_text("More services")).to_be_visible()


def test_urgent_help_and_deleting_work_on_the_real_gateway(visit: Visit, real: str) -> None:
    page = opened(visit(real + "/"))
    page.get_by_role("button", name="Get urgent help").click()
    expect(page.get_by_text("Open now").first).to_be_visible()
    page.get_by_role("button", name="Back to the chat").click()
    write(page, "hello")
    expect(page.get_by_role("log").get_by_role("link", name="Write to us")).to_be_visible()
    token = page.evaluate("JSON.parse(Object.values(sessionStorage)[0]).token")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete my chat").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Your chat is deleted")).to_be_visible()
    gone = requests.get(f"{real}/api/messages?after=0", headers={"Authorization": f"Bearer {token}"})
    assert gone.status_code == 401
