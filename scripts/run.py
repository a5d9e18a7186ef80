"""`make run`: check the ports, start the Procfile's processes under honcho, say when and where they answer."""
from __future__ import annotations

import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Dict, List

from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer

from assistant.errors import AssistantError, SettingsError
from assistant.settings import ROOT, Settings

PROCFILE = ROOT / "Procfile"
READY_WITHIN = 120.0  # seconds


def ports(settings: Settings) -> Dict[str, int]:
    """Return the port of each process."""
    return {
        "gateway": settings.gateway_port,
        "studio": settings.studio_port,
        "rasa": settings.rasa_port,
        "actions": settings.actions_port,
    }


VARIABLES = {
    "gateway": "ASSISTANT_PORT",
    "studio": "ASSISTANT_STUDIO_PORT",
    "rasa": "ASSISTANT_RASA_PORT",
    "actions": "ASSISTANT_ACTIONS_PORT",
}


def check_ports(settings: Settings) -> None:
    """Raise SettingsError when a port is taken, naming all that are."""
    taken: List[str] = []
    for name, port in ports(settings).items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken.append(f"port {port} ({name}) is taken: stop what uses it, or set {VARIABLES[name]} to another")
    if taken:
        raise SettingsError("\n".join(taken))


def environment(settings: Settings) -> Dict[str, str]:
    """Return the environment of the processes: the caller's, with the addresses that follow from the ports."""
    numbers = ports(settings)
    return {
        **os.environ,
        **{VARIABLES[name]: str(port) for name, port in numbers.items()},
        "ASSISTANT_RASA_URL": f"http://127.0.0.1:{numbers['rasa']}",
        "ASSISTANT_ACTIONS_URL": f"http://127.0.0.1:{numbers['actions']}",
        "ASSISTANT_MODELS_URL": f"http://127.0.0.1:{numbers['studio']}/models/current",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _announce(settings: Settings, started: float) -> None:
    """Wait until the whole chain answers, then print the addresses."""
    page = f"http://127.0.0.1:{settings.gateway_port}"
    while time.monotonic() - started < READY_WITHIN:
        if _answers(f"{page}/health/ready"):
            print(f"\nReady after {time.monotonic() - started:.0f} s.", flush=True)
            print(f"  Try it:  {page}/", flush=True)
            print(f"  Studio:  http://127.0.0.1:{settings.studio_port}/  (first account: make staff-user NAME=… ROLE=administrator)", flush=True)
            print("  Ctrl-C stops everything.\n", flush=True)
            return
        time.sleep(0.25)
    print(f"make run: not ready after {READY_WITHIN:.0f} s; {page}/health/ready says what is missing.", file=sys.stderr)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


class Processes(Manager):  # type: ignore[misc]
    """honcho's manager, which ends all processes when one ends; this one can say which it was."""

    ended = ""  # the process that ended by itself, with its exit code

    def terminate(self) -> None:
        """End all processes; called on a signal, and when one of them has ended."""
        stopped = [(name, item["returncode"]) for name, item in self._processes.items() if item.get("returncode") is not None]
        if stopped and not self._terminating:
            self.ended = f"{stopped[0][0]}, exit code {stopped[0][1]}"
        super().terminate()


def main() -> int:
    """Run until Ctrl-C or until a process dies; return the exit code."""
    try:
        settings = Settings.from_env()
        check_ports(settings)
    except AssistantError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    started = time.monotonic()
    manager = Processes(Printer(sys.stdout))
    for name, command in parse_procfile(PROCFILE.read_text()).processes.items():
        manager.add_process(name, command, env=environment(settings), cwd=str(ROOT))
    threading.Thread(target=_announce, args=(settings, started), daemon=True).start()
    manager.loop()
    if not manager.ended:
        return 0
    print(f"make run: a process ended by itself ({manager.ended}), so all were stopped; the lines above say why.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
