"""`make channel-check`: what it says when all is right, and of each thing that can be wrong."""
import asyncio
import os
import subprocess
import sys

import pytest
import pytest_asyncio
from aiohttp import web
from calls import channel_of, hook
from fakes import SERVICES, Call

from assistant.settings import ROOT, Settings
from gateway.channels.base import Refused
from gateway.channels.check import findings

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def address(service):
    """A public address at which a webhook answers as the gateway does."""
    channel = channel_of(service)

    async def receive(request):
        call = Call(dict(request.headers), await request.read(), request.method, request.query_string)
        try:
            answer = channel.verify(hook(service, call))
        except Refused as refused:
            return web.Response(status=refused.status)
        return web.Response(text=answer.body if answer else "")

    app = web.Application()
    app.router.add_route("*", f"/webhooks/{service.name}", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    public = f"http://127.0.0.1:{runner.addresses[0][1]}"
    if service.name == "telegram":
        service.webhook["url"] = f"{public}/webhooks/telegram"
    if service.name == "twilio":
        service.sms_url = f"{public}/webhooks/twilio"
    yield public
    await runner.cleanup()


async def wrong(service, public, **env):
    """What the check finds wrong, but for the loopback address of the test."""
    settings = Settings.from_env({**service.env, "ASSISTANT_PUBLIC_URL": public})
    found = await findings(channel_of(service, ASSISTANT_PUBLIC_URL=public, **env), settings)
    return [finding.sentence for finding in found if not finding.right and not finding.sentence.startswith("ASSISTANT_PUBLIC_URL")]


async def test_nothing_is_wrong_when_all_is_right(service, address):
    assert await wrong(service, address) == []


async def test_a_wrong_token_is_named(service, address):
    variable = {"whatsapp": "ASSISTANT_WHATSAPP_ACCESS_TOKEN", "messenger": "ASSISTANT_MESSENGER_PAGE_TOKEN",
                "slack": "ASSISTANT_SLACK_BOT_TOKEN", "telegram": "ASSISTANT_TELEGRAM_BOT_TOKEN", "twilio": "ASSISTANT_TWILIO_AUTH_TOKEN"}
    found = await wrong(service, address, **{variable[service.name]: "a-wrong-one"})
    assert any(sentence.startswith(f"{variable[service.name]}: ") for sentence in found)
    assert not any("a-wrong-one" in sentence for sentence in found)


async def test_what_is_wrong_in_the_services_console_is_named(service, address):
    env = {}
    if service.name == "whatsapp":
        env, expected = {"ASSISTANT_WHATSAPP_NUMBER_ID": "447700900999"}, "ASSISTANT_WHATSAPP_NUMBER_ID"
    elif service.name == "messenger":
        service.subscribed, expected = ["messages"], "messaging_postbacks"
    elif service.name == "slack":
        service.scopes, expected = "chat:write", "im:history"
    elif service.name == "telegram":
        service.webhook, expected = {"url": ""}, "nobody"
    else:
        service.sms_url, expected = "https://demo.twilio.com/welcome/sms/reply", "no number sends"
    found = await wrong(service, address, **env)
    assert len(found) == 1 and expected in found[0]


async def test_telegrams_last_error_and_missing_updates_are_named(address, service):
    if service.name == "telegram":
        service.webhook.update(last_error_message="Wrong response from the webhook: 401 Unauthorized", allowed_updates=["message"])
        found = await wrong(service, address)
        assert len(found) == 2 and "callback_query" in found[0] and "401" in found[1]


async def test_another_verify_token_at_the_public_address_is_named(service, address):
    if service.name in ("whatsapp", "messenger"):
        variable = f"ASSISTANT_{service.name.upper()}_VERIFY_TOKEN"
        assert [sentence.partition(":")[0] for sentence in await wrong(service, address, **{variable: "another"})] == [variable]


async def test_a_public_address_that_is_none_of_ours_is_named(service):
    public = f"http://127.0.0.1:{service.port}"  # something answers there, but no gateway
    if service.name == "telegram":
        service.webhook["url"] = f"{public}/webhooks/telegram"
    service.sms_url = f"{public}/webhooks/twilio"
    found = await wrong(service, public)
    assert any("has this channel off" in sentence for sentence in found)
    await service.stop()
    found = await wrong(service, public)
    assert any("cannot be reached" in sentence for sentence in found) and any("does not answer" in sentence for sentence in found)


@pytest.mark.parametrize("arguments, env, line", [
    ([], {}, "channel-check: NAME=: give one of whatsapp, messenger, slack, telegram, twilio."),
    (["fax"], {}, "channel-check: NAME=fax: give one of whatsapp, messenger, slack, telegram, twilio."),
    (["slack"], {}, "channel-check: slack is off: set ASSISTANT_SLACK_SIGNING_SECRET, ASSISTANT_SLACK_BOT_TOKEN "
                    "(docs/channels.md says where each is found)."),
    (["slack"], {"ASSISTANT_SLACK_BOT_TOKEN": "xoxb"}, "channel-check: ASSISTANT_SLACK_SIGNING_SECRET: slack needs this too. "
                                                       "Set all of ASSISTANT_SLACK_SIGNING_SECRET, ASSISTANT_SLACK_BOT_TOKEN, or none."),
])
async def test_the_command_ends_with_one_clear_line(arguments, env, line):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
    done = subprocess.run([sys.executable, "-m", "gateway.channels.check", *arguments], cwd=ROOT, env={**clean, **env},
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.strip() == line and done.stdout == ""


async def test_the_command_prints_each_finding_and_fails_when_one_is_wrong():
    fake = await SERVICES["slack"]().start()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
    process = subprocess.Popen([sys.executable, "-m", "gateway.channels.check", "slack"], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                               env={**clean, **fake.env, "ASSISTANT_PUBLIC_URL": ""})
    output = await asyncio.get_running_loop().run_in_executor(None, process.communicate)
    await fake.stop()
    lines = output[0].splitlines()
    assert process.returncode == 1
    assert [line[:5] for line in lines] == ["ok   ", "ok   ", "WRONG"] and "ASSISTANT_PUBLIC_URL" in lines[-1]
