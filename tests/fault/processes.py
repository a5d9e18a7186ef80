"""Gateways and other servers as processes of their own, to be stopped, continued and killed."""
from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, AsyncIterator, Mapping, Optional, Sequence

from support import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 90.0


class Process:
    """A command that prints a line when it is ready."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log: Path, ready: str) -> None:
        self._command, self._env, self.log, self._ready = list(command), dict(env), log, ready
        self._process: Optional[subprocess.Popen[bytes]] = None

    async def start(self) -> None:
        """Start, and wait until it is ready."""
        with open(self.log, "ab") as log:
            offset = log.tell()
            self._process = subprocess.Popen(self._command, env=self._env, stdout=log, stderr=log, cwd=ROOT)
        for _ in range(int(START_SECONDS / 0.05)):
            if self._ready in self.log.read_bytes()[offset:].decode(errors="replace"):
                return
            assert self._process.poll() is None, self.log.read_text()[-2000:]
            await asyncio.sleep(0.05)
        raise AssertionError("the process did not become ready")

    def signal(self, number: int) -> None:
        """Send a signal to exactly this process."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int:
        """End it in the orderly way and return the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(20)
        self._process = None
        return code


def environment(folder: Path, rasa_port: int, **more: str) -> dict[str, str]:
    """Return the environment of a gateway below `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSISTANT_")}
    return {**kept, "ASSISTANT_VAR": str(folder / "var"), "ASSISTANT_PORT": str(free_port()), "ASSISTANT_RASA_URL": f"http://127.0.0.1:{rasa_port}",
            "ASSISTANT_MESSAGES_PER_MINUTE": "10000", "ASSISTANT_SESSIONS_PER_SECOND": "10000",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "test_gateway"), os.environ.get("PYTHONPATH", "")]), **more}


def gateway(env: Mapping[str, str], log: Path, service_url: str = "http://127.0.0.1:9") -> Process:
    """Return a gateway with the tests' channel, not yet started."""
    return Process([sys.executable, str(Path(__file__).with_name("gateway_with_example.py")), service_url], env, log, "gateway: ready")


@contextlib.asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[Any]:
    """Start processes and kill them at the end, stopped ones too."""
    try:
        for process in processes:
            await process.start()
        yield processes[0] if len(processes) == 1 else processes
    finally:
        for process in processes:
            process.kill()
