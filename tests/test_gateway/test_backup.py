"""A back-up holds no word of a visitor, and a restored journal still knows what a code stands for."""
import os
import subprocess
import sys

import pytest
from sqlalchemy import select
from support import gateway_at, settings_for

from assistant.errors import InputFileError
from gateway import backup, schema

WORDS = "my boyfriend quokkaphobia lives in LS6"


async def rows(gateway, table):
    return await gateway.parts.database.read(lambda connection: connection.execute(select(table)).all())


async def test_a_back_up_holds_no_text_and_can_be_restored(tmp_path, view, journal_url, postgres, monkeypatch):
    async with gateway_at(settings_for(tmp_path / "old"), view) as gateway:
        async def not_understood(body):
            return gateway.rasa.reply({"text": WORDS}, intent={"name": "nlu_fallback"})

        gateway.rasa.answer = not_understood
        visitor = await gateway.visitor()
        _, value = await visitor.say(WORDS)
        await visitor.call("POST", "/api/feedback", {"message": value["messages"][0]["id"], "helpful": False})
        assert await backup.save(gateway.parts.database, tmp_path / "backup.jsonl") >= 4
    text = (tmp_path / "backup.jsonl").read_text()
    assert "quokkaphobia" not in text and "LS6" not in text and value["messages"][0]["reference"] in text
    assert os.stat(tmp_path / "backup.jsonl").st_mode & 0o777 == 0o600
    if journal_url != "sqlite":
        monkeypatch.setenv("ASSISTANT_JOURNAL_URL", postgres.database())
    async with gateway_at(settings_for(tmp_path / "new"), view) as gateway:
        new = await backup.restore(gateway.parts.database, tmp_path / "backup.jsonl")
        assert new >= 4 and await backup.restore(gateway.parts.database, tmp_path / "backup.jsonl") == 0
        assert [turn.reference for turn in await rows(gateway, schema.turns)] == [value["messages"][0]["reference"]]
        assert {row.reason for row in await rows(gateway, schema.inbox)} == {"not_understood", "unhelpful"}
        assert (await (await gateway.visitor()).say("hello"))[0] == 200


@pytest.mark.parametrize("content", ["nonsense", '{"table": "messages", "values": {}}', '{"table": "turns", "values": {"x": 1}}', "[]"])
async def test_what_is_no_back_up_is_refused(light, tmp_path, content):
    (tmp_path / "file").write_text(content)
    with pytest.raises(InputFileError):
        await backup.restore(light.parts.database, tmp_path / "file")


async def test_the_command_works_beside_a_running_gateway(light, tmp_path):
    await (await light.visitor()).say("hello")
    env = {**os.environ, "ASSISTANT_VAR": str(light.settings.var)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "gateway.backup", "save", str(tmp_path / "b")], env=env, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0 and "rows saved" in done.stdout, done.stderr
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "gateway.backup", "tidy"], env=env, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("Give: python -m gateway.backup")
