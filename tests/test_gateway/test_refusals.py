"""What is malformed, too much or not allowed gets a clear refusal, and nobody else notices."""
import asyncio
import json
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import within
from support import CRISIS, gateway_at, settings_for

from gateway import hygiene
from gateway.errors import Refusal

pytestmark = pytest.mark.asyncio


def body(**values):
    return json.dumps({"id": "0f8fad5b-d9cb-469f-a165-70867728950e", **values}).encode()


async def post(client, raw, content_type="application/json"):
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": content_type}
    async with client.http.post(client.base + "/api/messages", data=raw, headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("raw, status, code", [
    (b"", 400, "malformed_json"),
    (b"{", 400, "malformed_json"),
    (b"\xff\xfe", 400, "malformed_json"),
    (b'{"id": NaN}', 400, "malformed_json"),
    (b"[" * 20_000, 400, "malformed_json"),
    (b'{"a":' * 6_000 + b"1" + b"}" * 6_000, 413, "body_too_large"),
    (b'{"a":' * 4_000 + b"1" + b"}" * 4_000, 400, "malformed_json"),
    (b"[]", 400, "not_an_object"),
    (b"null", 400, "not_an_object"),
    (b"{}", 400, "bad_id"),
    (body(), 400, "text_or_choice"),
    (body(text="a", choice="b"), 400, "text_or_choice"),
    (body(text=1), 400, "bad_text"),
    (body(text=None), 400, "bad_text"),
    (body(text=["a"]), 400, "bad_text"),
    (body(text=""), 400, "empty_text"),
    (body(text=" \u200b\n".replace("\u200b", "\x07")), 400, "empty_text"),
    (body(text="\ud800"), 400, "empty_text"),
    (body(text="hello \ud83d"), 400, "damaged_text"),
    (body(text="hel\x00lo"), 400, "damaged_text"),
    (body(choice=1), 400, "bad_choice"),
    (body(choice="a" * 65), 400, "bad_choice"),
    (body(choice="a b"), 400, "bad_choice"),
    (body(text="a", sender="me"), 400, "unknown_field"),
    (body(text="a", metadata={}), 400, "unknown_field"),
    (json.dumps({"id": "1", "text": "a"}).encode(), 400, "bad_id"),
    (json.dumps({"id": 5, "text": "a"}).encode(), 400, "bad_id"),
    (json.dumps({"id": "{0f8fad5b-d9cb-469f-a165-70867728950e}", "text": "a"}).encode(), 400, "bad_id"),
    (body(text="word " * 3_000), 413, "text_too_long"),
    (body(text="\ufdfa" * 1_000), 413, "text_too_long"),
    (body(text="x" * 40_000), 413, "body_too_large"),
], ids=lambda value: value[:40] if isinstance(value, bytes) else str(value))
async def test_malformed_messages_get_a_clear_4xx(light, raw, status, code):
    visitor = await light.visitor()
    found, value = await post(visitor, raw)
    assert (found, value["error"]["code"]) == (status, code)
    assert value["error"]["message"]
    if status == 413:
        assert value["help"]["type"] == "helplines" and value["help"]["services"]
    assert light.rasa.calls == []


async def test_a_crisis_with_half_an_emoji_is_answered(light):
    status, value = await post(await light.visitor(), body(text=CRISIS + " \ud83d"))
    assert status == 200 and any(message["type"] == "helplines" for message in value["messages"])


async def test_a_message_that_is_not_json_is_refused(light):
    assert (await post(await light.visitor(), body(text="hello"), "text/plain"))[0] == 415


async def test_a_hundred_megabytes_are_refused_at_once_and_hold_nobody_up(light):
    visitor, other = await light.visitor(), await light.visitor()
    reader, writer = await asyncio.open_connection("127.0.0.1", light.settings.gateway_port)
    head = b"POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n"
    writer.write(head + b"x" * 65536)
    started = time.monotonic()
    head = await asyncio.wait_for(reader.readuntil(b"\r\n"), 2)
    assert b" 413 " in head
    status, _ = await other.say("hello")
    assert status == 200 and time.monotonic() - started < within(1)
    writer.close()
    assert visitor.token


async def test_chunked_bodies_are_capped_while_they_arrive(light):
    async def endless():
        for _ in range(64):
            yield b"x" * 65536

    visitor = await light.visitor()
    try:
        async with visitor.http.post(light.base + "/api/messages", data=endless()) as response:
            assert response.status == 413
    except (ConnectionError, OSError):
        pass  # the gateway hung up while the client was still sending: refused all the same
    assert (await visitor.say("hello"))[0] == 200


@pytest.mark.parametrize("line", [
    b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\nContent-Length: 0\r\n\r\n",
    b"GET /api/messages?after=%00 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n\r\n",
], ids=lambda line: line[:60])
async def test_malformed_http_is_a_4xx(light, line):
    reader, writer = await asyncio.open_connection("127.0.0.1", light.settings.gateway_port)
    writer.write(line)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
    assert head.split()[1].startswith(b"4"), head
    writer.close()


async def test_unknown_addresses_and_methods(light):
    stranger = light.stranger()
    assert (await stranger.call("GET", "/api/nothing"))[0] == 404
    status, value, headers = await stranger.call("PUT", "/api/session", {})
    assert status == 405 and value["error"]["code"] == "method_not_allowed" and "POST" in headers["Allow"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Basic abc", "Bearer " + "a" * 5000, "Bearer é", "bearer eyJ.x.y"])
async def test_without_a_valid_token_nothing_is_told(light, authorization):
    stranger = light.stranger()
    for method, path, value in (("POST", "/api/messages", {"id": str(uuid.uuid4()), "text": "a"}), ("GET", "/api/messages", None),
                                ("DELETE", "/api/session", None), ("POST", "/api/feedback", {"message": "0" * 16 + ".0", "helpful": True})):
        status, answer, headers = await stranger.call(method, path, value, Authorization=authorization)
        assert status == 401 and answer["error"]["code"] in ("no_token", "bad_token") and headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_signed_with_another_key_is_refused(light):
    from gateway.sessions import Sessions

    forged = Sessions(b"another key", 30).start()
    assert (await light.stranger().call("GET", "/api/messages", None, Authorization=f"Bearer {forged.token}"))[0] == 401


async def test_the_twenty_first_message_in_a_minute_waits_but_never_a_crisis(tmp_path, view, monkeypatch):
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    settings = settings_for(tmp_path, ASSISTANT_MESSAGES_PER_MINUTE="20")
    async with gateway_at(settings, view) as gateway:
        visitor = await gateway.visitor()
        identity = str(uuid.uuid4())
        for number in range(20):
            assert (await visitor.say("hello", identity if number == 0 else None))[0] == 200
        status, value, headers = await visitor.call("POST", "/api/messages", {"id": str(uuid.uuid4()), "text": "one more"})
        assert status == 429 and 1 <= int(headers["Retry-After"]) <= 60 and value["help"]["services"]
        assert (await visitor.say("hello", identity))[0] == 200  # a copy is free
        status, value = await visitor.say(CRISIS)
        assert status == 200 and any(message["type"] == "helplines" for message in value["messages"])


async def test_sessions_of_one_visitor_are_limited(tmp_path, view, monkeypatch):
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    async with gateway_at(settings_for(tmp_path, ASSISTANT_SESSIONS_PER_SECOND="1"), view) as gateway:
        found = [await gateway.stranger().call("POST", "/api/session", {}) for _ in range(3)]
        assert found[0][0] == 201 and 429 in (found[1][0], found[2][0])


async def test_every_answer_bears_the_security_headers(light):
    for path in ("/", "/api/help", "/nothing", "/health/live"):
        _, _, headers = await light.stranger().call("GET", path)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
        assert "unsafe" not in policy and "*" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY" and "Server" not in headers


async def test_only_listed_origins_may_read_answers(tmp_path, view, monkeypatch):
    monkeypatch.delenv("ASSISTANT_JOURNAL_URL", raising=False)
    async with gateway_at(settings_for(tmp_path, ASSISTANT_ORIGINS="https://www.example.org"), view) as gateway:
        stranger = gateway.stranger()
        for method in ("GET", "OPTIONS"):
            _, _, headers = await stranger.call(method, "/api/help", Origin="https://www.example.org")
            assert headers["Access-Control-Allow-Origin"] == "https://www.example.org" and headers["Vary"] == "Origin"
            for origin in ("https://example.org", "https://www.example.org.evil.example", "null", "http://www.example.org"):
                _, _, headers = await stranger.call(method, "/api/help", Origin=origin)
                assert "Access-Control-Allow-Origin" not in headers
        status, _, headers = await stranger.call("OPTIONS", "/api/messages", Origin="https://www.example.org")
        assert status == 204 and "Authorization" in headers["Access-Control-Allow-Headers"]


async def test_exactly_these_routes_are_reachable(light):
    found = {(f"/{route.path}", method) for route in light.app.router.routes for method in route.methods}
    files = {(path, method) for path, method in found if path == "/" or path.startswith("/widget/")}
    assert found - files == {
        ("/api/session", "POST"), ("/api/session", "DELETE"), ("/api/messages", "POST"), ("/api/messages", "GET"),
        ("/api/feedback", "POST"), ("/api/help", "GET"), ("/api/openapi.json", "GET"),
        ("/health/live", "GET"), ("/health/ready", "GET"), ("/metrics", "GET"), ("/r/<token:str>", "GET"),
        ("/webhooks/<name:str>", "GET"), ("/webhooks/<name:str>", "POST"),
    }
    assert {method for _, method in files} == {"GET", "HEAD"}


async def test_a_webhook_of_a_channel_that_is_off_does_not_exist(light):
    assert (await light.stranger().call("POST", "/webhooks/telegram", {}))[0] == 404


async def test_metrics_are_for_this_machine_or_the_token(light, monkeypatch):
    stranger = light.stranger()
    assert (await stranger.call("GET", "/metrics"))[0] == 200
    assert (await stranger.call("GET", "/metrics", **{"X-Forwarded-For": "203.0.113.9"}))[0] == 404
    monkeypatch.setenv("ASSISTANT_METRICS_TOKEN", "a token")
    headers = {"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer a token"}
    assert (await stranger.call("GET", "/metrics", **headers))[0] == 200


@given(st.one_of(st.text(), st.from_type(type(None)), st.integers(), st.lists(st.text())), st.text())
async def test_the_parser_returns_a_message_or_refuses(text, extra):
    value = {"id": str(uuid.uuid4()), "text": text}
    try:
        message = hygiene.client_message(value)
    except Refusal as refusal:
        assert 400 <= refusal.status < 500
    else:
        assert message.text == message.text.strip() and 1 <= len(message.text) <= hygiene.TEXT_CHARACTERS
        message.text.encode("utf-8")
        assert not any(ord(c) < 32 and c not in "\n\t" for c in message.text)
        assert not hygiene.for_rasa(message.text).startswith(("/", " "))
    with pytest.raises(Refusal):
        hygiene.client_message({**value, "x" + extra: 1})


@given(st.binary(max_size=2000))
async def test_any_bytes_are_json_or_refused(raw):
    try:
        assert isinstance(hygiene.json_object(raw, "application/json"), dict)
    except Refusal as refusal:
        assert refusal.status == 400
