"""The processes that the studio starts for models: training, judging, a model to talk to. Each can be stopped at once."""
from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from assistant.errors import AssistantError
from assistant.settings import Settings

# Limits on a model that hangs, with room for a machine that has much else to do; none is a waiting time.
LOAD_SECONDS = 240.0
ANSWER_SECONDS = 60.0


class ProcessFailed(AssistantError):
    """A process ended badly; the message holds the end of what it said."""


class Cancelled(Exception):
    """The work was cancelled."""


def environment(settings: Settings, root: Path, models: Path) -> Dict[str, str]:
    """Return the environment of a process that works on the files below `root` and writes its model to `models`."""
    return {
        **os.environ,
        "PYTHONPATH": str(root),
        "ASSISTANT_CACHE": str(settings.cache),
        "ASSISTANT_VAR": str(settings.var),
        "ASSISTANT_MODELS": str(models),
        "RASA_CACHE_DIRECTORY": str(settings.cache / "rasa"),  # shared, so that what is unchanged is not trained again
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def python(*arguments: str) -> List[str]:
    """Return the command line of a Python module in this environment."""
    return [sys.executable, "-W", "ignore", "-m", *arguments]


class Work:
    """Processes that belong to one job; cancelling ends those that run and refuses new ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: List["subprocess.Popen[Any]"] = []
        self.cancelled = False

    def run(self, command: Sequence[str], cwd: Path, env: Dict[str, str]) -> str:
        """Run a command to its end and return what it printed. Raises ProcessFailed, Cancelled."""
        process = self.start(command, cwd, env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = process.communicate()[0] or ""
        self.forget(process)
        if self.cancelled:
            raise Cancelled
        if process.returncode:
            raise ProcessFailed(_tail(output) or f"{command[-1]} ended with {process.returncode}")
        return str(output)

    def start(self, command: Sequence[str], cwd: Path, env: Dict[str, str], **options: Any) -> "subprocess.Popen[Any]":
        """Start a command in a group of its own. Raises Cancelled."""
        with self._lock:
            if self.cancelled:
                raise Cancelled
            process = subprocess.Popen(command, cwd=cwd, env=env, text=True, start_new_session=True, **options)
            self._running.append(process)
        return process

    def forget(self, process: "subprocess.Popen[Any]") -> None:
        """Let go of a process that has ended."""
        with self._lock:
            if process in self._running:
                self._running.remove(process)

    def cancel(self) -> None:
        """End everything that runs."""
        with self._lock:
            self.cancelled = True
            running = list(self._running)
        for process in running:
            kill(process)


class Lab:
    """Models in a process of its own (studio/lab.py). One request at a time; raises ProcessFailed when it fails."""

    def __init__(self, root: Path, settings: Settings, work: Optional[Work] = None) -> None:
        """Start the process with the code and the tests below `root`."""
        self._work = work or Work()
        self._lock = threading.Lock()
        self._process: Any = self._work.start(
            python("studio.lab"), root, environment(settings, root, settings.models), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,  # Rasa quotes messages there
        )
        self._archive, self._loaded = Path(), True

    def use(self, archive: Path) -> None:
        """Have what is asked from now on answered by the model `archive`."""
        with self._lock:
            self._archive, self._loaded = archive, False

    def ask(self, seconds: float = ANSWER_SECONDS, **request: Any) -> Dict[str, Any]:
        """Send a request and return the reply, waiting for the model to be loaded first."""
        with self._lock:
            if not self._loaded:
                self._send(LOAD_SECONDS, {"do": "load", "archive": str(self._archive)})
                self._loaded = True
            return self._send(seconds, request)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        kill(self._process)
        self._work.forget(self._process)
        for stream in (self._process.stdin, self._process.stdout):
            try:
                stream.close()
            except OSError:
                pass

    def _send(self, seconds: float, request: Dict[str, Any]) -> Dict[str, Any]:
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            if self._work.cancelled:
                raise Cancelled from None
            raise ProcessFailed("The model has stopped. Try again.") from None
        return self._read(seconds)

    def _read(self, seconds: float) -> Dict[str, Any]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            line = self._process.stdout.readline() if selector.select(seconds) else None
        if self._work.cancelled:
            raise Cancelled
        if line is None:
            self.close()
            raise ProcessFailed(f"The model did not answer within {seconds:.0f} s. Try again.")
        if not line:
            raise ProcessFailed("The model has stopped. Try again.")
        reply: Dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise ProcessFailed(reply["error"])
        return reply


def kill(process: "subprocess.Popen[Any]") -> None:
    """End a process with all that it started."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def _tail(output: str, lines: int = 12) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])
