"""The whole assistant on ports and in a folder of its own, for tests and benchmarks: start, wait, stop."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Dict, Optional, Sequence, Type

from assistant.errors import AssistantError
from assistant.settings import ROOT
from scripts.local_services import free_port

READY_WITHIN = 120.0  # seconds, on a busy machine
STOP_WITHIN = 10.0


class StackError(AssistantError):
    """A process did not start or ended by itself."""


class Stack:
    """Gateway, Rasa and action server; `with Stack() as stack: …` talks to `stack.base`."""

    def __init__(self, env: Optional[Dict[str, str]] = None, parts: Sequence[str] = ("rasa", "actions", "gateway"), wait: bool = True) -> None:
        """env: settings beside those that a stack sets; parts: what to start; wait: until the whole is ready."""
        self._parts, self._wait = parts, wait
        self._folder = tempfile.TemporaryDirectory(prefix="assistant-stack-")
        self.ports = {name: free_port() for name in ("rasa", "actions", "gateway", "studio")}
        self.base = f"http://127.0.0.1:{self.ports['gateway']}"
        self.log, self.var = Path(self._folder.name) / "log", Path(self._folder.name) / "var"
        self.env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3",
            "RASA_TELEMETRY_ENABLED": "false", "SANIC_HOST": "127.0.0.1",
            "ASSISTANT_VAR": str(self.var),
            "ASSISTANT_PORT": str(self.ports["gateway"]), "ASSISTANT_RASA_PORT": str(self.ports["rasa"]),
            "ASSISTANT_ACTIONS_PORT": str(self.ports["actions"]), "ASSISTANT_STUDIO_PORT": str(self.ports["studio"]),
            "ASSISTANT_RASA_URL": f"http://127.0.0.1:{self.ports['rasa']}",
            "ASSISTANT_ACTIONS_URL": f"http://127.0.0.1:{self.ports['actions']}",
            "ASSISTANT_MODELS_URL": f"http://127.0.0.1:{self.ports['studio']}/models/current",
            # One machine plays every visitor.
            "ASSISTANT_MESSAGES_PER_MINUTE": "100000", "ASSISTANT_SESSIONS_PER_SECOND": "100000",
            **(env or {}),
        }
        self.processes: Dict[str, "subprocess.Popen[bytes]"] = {}

    def command(self, name: str) -> Sequence[str]:
        """Return the command of the process `name`; as in the Procfile, without a shell in between."""
        return {
            "rasa": ["-m", "scripts.rasa", "run", "--interface", "127.0.0.1", "--port", str(self.ports["rasa"]),
                     "--endpoints", "endpoints.yml", "--credentials", "credentials.yml", "--quiet"],
            "actions": ["-m", "rasa_sdk", "--actions", "actions", "--port", str(self.ports["actions"])],
            "gateway": ["-m", "gateway"],
            "studio": ["-m", "studio"],
        }[name]

    def start(self, name: str) -> None:
        """Start the process `name` (again)."""
        with open(self.log, "ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-W", "ignore", *self.command(name)], cwd=ROOT, env=self.env, stdout=log, stderr=log,
                start_new_session=True,
            )

    def stop(self, name: str, by: signal.Signals = signal.SIGTERM) -> None:
        """End the process `name` and wait for it."""
        process = self.processes.pop(name)
        for number in (signal.SIGCONT, by):  # a stopped process would not hear the rest
            if process.poll() is None:
                os.killpg(process.pid, number)
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def ready(self, seconds: float = READY_WITHIN) -> float:
        """Wait until the gateway says that the whole is ready; return the seconds it took. Raises StackError."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            dead = [name for name, process in self.processes.items() if process.poll() is not None]
            if dead:
                raise StackError(f"{dead[0]} ended by itself: {self.tail()}")
            try:
                with urllib.request.urlopen(f"{self.base}/health/ready", timeout=5) as reply:
                    if reply.status == 200:
                        return time.monotonic() - started
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.1)
        raise StackError(f"the assistant is not ready after {seconds:g} s: {self.tail()}")

    def tail(self, lines: int = 5) -> str:
        """Return the end of what the processes printed."""
        return " / ".join(self.log.read_text(errors="replace").strip().splitlines()[-lines:]) if self.log.exists() else ""

    def __enter__(self) -> "Stack":
        """Start the parts."""
        try:
            for name in self._parts:
                self.start(name)
            if self._wait:
                self.ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        """Stop everything and remove the folder."""
        for name in list(self.processes):
            self.stop(name)
        self._folder.cleanup()
