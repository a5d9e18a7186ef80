"""The gateway against its own description: whatever is sent, no 5xx, nothing undescribed, and others are still answered."""
import asyncio
import os
import sys
from pathlib import Path

import pytest
from support import texts

from gateway import openapi

EXAMPLES = "60"
# A text that is too long is refused with 413, which carries the helplines.
CONFIG = "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 404, 405, 413, 415, 429]\n"


async def test_the_description_lists_exactly_the_api(light):
    _, value, _ = await light.stranger().call("GET", "/api/openapi.json")
    assert value == openapi.DESCRIPTION
    described = {(path, method.upper()) for path, methods in value["paths"].items() for method in methods}
    served = {(f"/{route.path}", method) for route in light.app.router.routes for method in route.methods if route.path.startswith("api/")}
    assert described | {("/api/openapi.json", "GET")} == served


@pytest.mark.timeout(240)
async def test_schemathesis_finds_no_fault(light, tmp_path):
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    visitor = await light.visitor()
    command = [
        str(Path(sys.executable).with_name("st")), "run", f"{light.base}/api/openapi.json",
        "--header", f"Authorization: Bearer {visitor.token}",
        "--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing", "--mode", "all", "--request-timeout", "6", "--seed", "1",
        # A deleted session answers 401 to all that follows: it has tests of its own.
        "--exclude-method", "DELETE", "--exclude-checks", "ignored_auth",
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
                                                   env={**os.environ, "NO_COLOR": "1"})
    output = asyncio.ensure_future(process.communicate())
    slowest = 0.0
    other = await light.visitor()
    while not output.done():
        before = asyncio.get_running_loop().time()
        status, value = await other.say("hello")
        slowest = max(slowest, asyncio.get_running_loop().time() - before)
        assert status == 200 and texts(value)[0] == "You said hello"
        await asyncio.wait({output}, timeout=0.5)
    text = output.result()[0].decode(errors="replace")
    assert process.returncode == 0, text[-6000:]
    assert "Server error" not in text and slowest < 2
