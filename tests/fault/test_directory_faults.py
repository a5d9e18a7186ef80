"""The directory behind the site's own JSON search fails in several ways: what the visitor sees, through the whole assistant."""
from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from conversing import Person
from patience import within

from scripts.stack import Stack

pytestmark = pytest.mark.timeout(600)
SEARCH = "in person in Leeds for anxiety"


class Site:
    """The site's own JSON search, on loopback: it hangs, answers wrongly, or gives one therapist, as `does` says."""

    def __init__(self) -> None:
        self.does, self.asked = "hangs", 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked += 1
                if site.does == "hangs":
                    time.sleep(4.0)  # nobody waits for it
                body = {"answers markup": b"<html>", "is huge": b"[" * 3_000_000}.get(site.does) or json.dumps({"results": [ENTRY]}).encode()
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *given: Any) -> None:
                """Nothing is printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


ENTRY = {
    "name": "Real Person", "title": "Counsellor", "register": "BACP", "register_number": "77", "town": "Leeds", "latitude": 53.8,
    "longitude": -1.55, "formats": ["online", "in_person"], "audiences": ["adults"], "concerns": ["anxiety"], "accepting": True,
    "url": "https://example.org/77",
}


@pytest.fixture(scope="module")
def site():
    """The site's search."""
    fake = Site()
    yield fake
    fake.server.shutdown()


@pytest.fixture(scope="module")
def stack(model, site):
    """The whole assistant, with the site's search for its directory."""
    with Stack({"ASSISTANT_DIRECTORY_BACKEND": "http", "ASSISTANT_DIRECTORY_URL": f"http://127.0.0.1:{site.server.server_port}/?near={{location}}",
                "ASSISTANT_DIRECTORY_FIELDS": "results=results", "ASSISTANT_RASA_TURN_SECONDS": "20",
                "ASSISTANT_SEARCH_URL_TEMPLATE": "https://example.org/search?near={location}&how={session_format}&for={concern}",
                }, wait=False) as whole:
        whole.ready(300.0)
        end = time.monotonic() + 60.0
        while not _answers(f"{whole.env['ASSISTANT_ACTIONS_URL']}/health"):
            assert time.monotonic() < end, whole.tail()
            time.sleep(0.05)
        yield whole


def _answers(url):
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def test_a_directory_that_fails_costs_the_link_nothing_and_comes_back_by_itself(stack, site):
    for fault in ("hangs", "answers markup", "is huge"):
        site.does = fault
        person, started = Person(stack.base), time.monotonic()
        reply = person.does(SEARCH)
        assert time.monotonic() - started < within(2.5), fault
        assert reply.says("utter_search_link_only") and "cards" not in reply.kinds, (fault, reply.text)
        (link,) = [link for message in reply.messages for link in message.get("links") or []]
        to = requests.get(link["url"], allow_redirects=False, timeout=10).headers["Location"]
        assert {"near=Leeds", "how=in_person", "for=anxiety"} <= set(urlsplit(to).query.split("&")), to
        assert reply.says("This opens the site's own search for therapists near Leeds who see people in person and work with anxiety.")
    asked, site.does = site.asked, "works"
    reply = Person(stack.base).does(SEARCH)
    assert reply.says("utter_search_link_only") and site.asked == asked  # three failures: it is left alone for a while
    end = time.monotonic() + within(30.0)
    while "cards" not in (reply := Person(stack.base).does(SEARCH)).kinds:
        assert time.monotonic() < end, "the directory did not come back"
        time.sleep(1.0)
    assert [card["name"] for message in reply.messages for card in message.get("cards") or []] == ["Real Person"]
