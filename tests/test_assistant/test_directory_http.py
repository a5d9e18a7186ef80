import asyncio
import json
import time

import pytest
from aiohttp import web
from patience import within

from assistant.directory import Query, open_directory
from assistant.directory.breaker import Breaker
from assistant.directory.http import HTTPDirectory
from assistant.errors import DirectoryError, SettingsError
from assistant.places import Gazetteer
from assistant.settings import Settings
from scripts.places_extract import build

FIELDS = (
    "results=data.items,name=full_name,title=role,register=body.name,register_number=body.number,town=where.town,latitude=where.lat,"
    "longitude=where.lon,formats=ways,audiences=clients,concerns=topics,accepting=open,url=link"
)
VALUES = "online=video,in_person=room,low_self_esteem=self-esteem"
LIMIT = 2.5  # seconds to the link


def entry(number, **changes):
    good = {
        "full_name": f"Person {number}",
        "role": "Counsellor",
        "body": {"name": "BACP", "number": number},
        "link": f"https://example.org/{number}",
        "where": {"town": "Leeds", "lat": 53.8, "lon": -1.55},
        "ways": ["video", "room"],
        "clients": ["adults"],
        "topics": ["anxiety", "self-esteem"],
        "open": True,
    }
    return {**good, **changes}


@pytest.fixture(scope="module")
def gazetteer():
    settings = Settings.from_env()
    build(settings)
    return Gazetteer.load(settings)


@pytest.fixture
def leeds(gazetteer):
    return Query(gazetteer.look_up("Leeds").place, "in_person", "low_self_esteem")


class Site:
    """A fake of the site's API whose answer the test decides."""

    def __init__(self):
        self.asked = []
        self.answer = lambda request: web.json_response({"data": {"items": []}})

    async def handle(self, request):
        self.asked.append(dict(request.query))
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture
async def site():
    fake = Site()
    app = web.Application()
    app.router.add_get("/search", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    port = listener._server.sockets[0].getsockname()[1]
    fake.url = f"http://127.0.0.1:{port}/search?near={{location}}&lat={{latitude}}&how={{session_format}}&what={{concern}}&who={{audience}}&n={{limit}}"
    yield fake
    await runner.cleanup()


@pytest.fixture
def directory(site, gazetteer):
    settings = Settings.from_env(
        {
            "ASSISTANT_DIRECTORY_BACKEND": "http",
            "ASSISTANT_DIRECTORY_URL": site.url,
            "ASSISTANT_DIRECTORY_FIELDS": FIELDS,
            "ASSISTANT_SEARCH_VALUES": VALUES,
        }
    )
    return HTTPDirectory(settings, gazetteer, Breaker(failures=3, rest=0.2))


def giving(*entries):
    return lambda request: web.json_response({"data": {"items": list(entries)}})


async def test_entries_are_read_through_the_field_map(site, directory, leeds):
    site.answer = giving(entry(1), entry(2, open=False), entry(3, where={"town": "York", "lat": 53.96, "lon": -1.08}))
    results = await directory.search(leeds, 3)
    assert [found.therapist.name for found in results.found] == ["Person 1", "Person 2"]
    assert results.found[0].therapist.formats == ("online", "in_person") and results.found[0].therapist.concerns == (
        "anxiety",
        "low_self_esteem",
    )
    assert results.radius == 10 and results.total == 2 and not results.sample
    assert site.asked[0] == {**site.asked[0], "near": "Leeds", "how": "room", "what": "self-esteem", "who": "", "n": "200"}


async def test_what_the_site_did_not_filter_is_filtered_here(site, directory, leeds):
    site.answer = giving(entry(1, ways=["video"]), entry(2, topics=["anxiety"]), entry(3))
    assert [found.therapist.name for found in (await directory.search(leeds, 3)).found] == ["Person 3"]


async def test_with_nobody_near_the_radius_grows_and_then_it_goes_online(site, directory, leeds):
    site.answer = giving(entry(1, where={"town": "York", "lat": 53.96, "lon": -1.08}))
    assert (await directory.search(leeds, 3)).radius == 25
    site.answer = giving(entry(1, where={"town": "Truro", "lat": 50.26, "lon": -5.05}))
    assert (await directory.search(leeds, 3)).online_instead


async def test_entries_that_do_not_pass_the_checks_are_left_out(site, directory, leeds):
    site.answer = giving(entry(1, link="javascript:alert(1)"), entry(2, body={}), "nonsense", None, {"full_name": []}, entry(3))
    assert [found.therapist.name for found in (await directory.search(leeds, 3)).found] == ["Person 3"]


async def _never(request):
    await asyncio.sleep(30)


async def _dripping(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b" ")
        await asyncio.sleep(0.05)


async def _endless(request):
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b"[" * 65536)


WRONG = {
    "hangs": _never,
    "drips": _dripping,
    "is endless": _endless,
    "fails": lambda request: web.Response(status=500),
    "answers markup": lambda request: web.Response(text="<html>maintenance</html>", content_type="text/html"),
    "answers half a JSON": lambda request: web.Response(text='{"data": {"items": [', content_type="application/json"),
    "answers another shape": lambda request: web.json_response(["data"]),
    "nests deeply": lambda request: web.Response(text="[" * 100_000, content_type="application/json"),
    "is huge": lambda request: web.Response(text=json.dumps({"data": {"items": [entry(1, role="x" * 1000)] * 2000}})),
    "sends elsewhere": lambda request: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    "answers no text": lambda request: web.Response(body=b"\xff\xfe\x00", content_type="application/json"),
}


@pytest.mark.parametrize("fault", WRONG)
async def test_a_site_that_does_not_work_is_an_error_in_time(fault, site, directory, leeds):
    site.answer = WRONG[fault]
    start = time.monotonic()
    with pytest.raises(DirectoryError):
        await directory.search(leeds, 3)
    assert time.monotonic() - start < within(LIMIT)


async def test_a_site_that_is_not_there_is_an_error_in_time(gazetteer, leeds):
    settings = Settings.from_env({"ASSISTANT_DIRECTORY_BACKEND": "http", "ASSISTANT_DIRECTORY_URL": "http://127.0.0.1:9/"})
    start = time.monotonic()
    with pytest.raises(DirectoryError):
        await open_directory(settings).search(leeds, 3)
    assert time.monotonic() - start < within(LIMIT)


async def test_a_connection_that_breaks_is_tried_once_more(site, directory, leeds):
    def broken_then_good(request):
        if len(site.asked) == 1:
            request.transport.close()
        return web.json_response({"data": {"items": [entry(1)]}})

    site.answer = broken_then_good
    assert (await directory.search(leeds, 3)).total == 1 and len(site.asked) == 2


async def test_the_breaker_leaves_a_failing_site_alone_and_recovers(site, directory, leeds):
    site.answer = lambda request: web.Response(status=404)
    for _ in range(3):
        with pytest.raises(DirectoryError):
            await directory.search(leeds, 3)
    asked = len(site.asked)
    with pytest.raises(DirectoryError, match="left alone"):
        await directory.search(leeds, 3)
    assert len(site.asked) == asked
    site.answer = giving(entry(1))
    deadline = time.monotonic() + 5
    results = None
    while results is None and time.monotonic() < deadline:
        try:
            results = await directory.search(leeds, 3)
        except DirectoryError:
            await asyncio.sleep(0.02)
    assert results is not None and results.total == 1
    assert (await directory.search(leeds, 3)).total == 1


def test_after_its_rest_one_call_is_let_through():
    now = [0.0]
    breaker = Breaker(failures=2, rest=10, clock=lambda: now[0])
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    now[0] = 10.0
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.succeeded()
    assert breaker.allows()


@pytest.mark.parametrize(
    "env, message",
    [
        ({}, "ASSISTANT_DIRECTORY_URL=''"),
        ({"ASSISTANT_DIRECTORY_URL": "https://e.org/{town}"}, "has {town}"),
        ({"ASSISTANT_DIRECTORY_URL": "https://e.org", "ASSISTANT_DIRECTORY_FIELDS": "nome=x"}, "has 'nome'"),
    ],
)
def test_malformed_settings_stop_the_start(env, message, gazetteer):
    with pytest.raises(SettingsError, match=message):
        HTTPDirectory(Settings.from_env(env), gazetteer)
