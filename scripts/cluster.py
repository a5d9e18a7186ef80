"""`make cluster`: two gateways, two Rasa servers and two action servers on one PostgreSQL and one Redis, behind nginx.

The shape of an installation on more than one machine, on this one; deploy/compose.yml has the same with containers.
"""
from __future__ import annotations

import os
import secrets
import shlex
import shutil
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List

from honcho.manager import Manager
from honcho.printer import Printer

from assistant.errors import AssistantError
from assistant.settings import ROOT, Settings
from scripts.local_services import Postgres, free_port, nginx_command, redis_command

REPLICAS = 2
READY_WITHIN = 180.0  # seconds; two Rasa servers start at once


@dataclass
class Cluster:
    """The commands and ports of one cluster, by process name, such as "rasa.1"."""

    port: int
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="assistant-cluster-")))
    commands: Dict[str, str] = field(default_factory=dict)
    ports: Dict[str, int] = field(default_factory=dict)
    environment: Dict[str, str] = field(default_factory=dict)
    extra: Dict[str, Dict[str, str]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Start PostgreSQL and fill in the commands; raises ServiceMissing."""
        self.postgres = Postgres()
        ports = {name: [free_port() for _ in range(REPLICAS)] for name in ("gateways", "rasas", "actions")}
        rasa, actions, redis = free_port(), free_port(), free_port()
        self.environment = {
            **os.environ,
            "ASSISTANT_SECRET": os.environ.get("ASSISTANT_SECRET") or secrets.token_hex(32),
            "ASSISTANT_JOURNAL_URL": self.postgres.database("journal"),
            "ASSISTANT_TRACKER_URL": self.postgres.database("tracker"),
            "ASSISTANT_RASA_URL": f"http://127.0.0.1:{rasa}",
            "ASSISTANT_ACTIONS_URL": f"http://127.0.0.1:{actions}",
            "ASSISTANT_REDIS_HOST": "127.0.0.1",
            "ASSISTANT_REDIS_PORT": str(redis),
            "ASSISTANT_TRUSTED_PROXIES": "1",
            "ASSISTANT_VAR": str(self.folder / "var"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
        }
        self.commands = {"redis": "exec " + shlex.join(redis_command(redis))}
        for number in range(REPLICAS):
            actions_port, rasa_port, gateway_port = (ports[name][number] for name in ("actions", "rasas", "gateways"))
            self.ports.update({f"actions.{number}": actions_port, f"rasa.{number}": rasa_port, f"gateway.{number}": gateway_port})
            self.commands[f"actions.{number}"] = f"SANIC_HOST=127.0.0.1 exec python -m rasa_sdk --actions actions --port {actions_port}"
            self.commands[f"rasa.{number}"] = (
                f"exec python -m scripts.rasa run --interface 127.0.0.1 --port {rasa_port} "
                "--endpoints deploy/endpoints.yml --credentials credentials.yml --quiet"
            )
            self.commands[f"gateway.{number}"] = "exec python -m gateway"
            self.extra[f"gateway.{number}"] = {"ASSISTANT_PORT": str(gateway_port)}
        self.commands["nginx"] = "exec " + shlex.join(nginx_command(self.folder, self.port, rasa, actions, ports))

    def env(self, name: str) -> Dict[str, str]:
        """Return the environment of the process `name`."""
        return {**self.environment, **self.extra.get(name, {})}

    def clean(self) -> None:
        """Stop PostgreSQL and remove the cluster's files."""
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_until_ready(port: int, replicas: int = 1, seconds: float = READY_WITHIN) -> float:
    """Return after how many seconds the cluster behind `port` was ready; raises AssistantError when it is not."""
    started, good = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        good = good + 1 if _ready(port) else 0
        if good > 2 * replicas:  # nginx takes the replicas in turn
            return time.monotonic() - started
        time.sleep(0.3)
    raise AssistantError(f"the cluster on port {port} is not ready after {seconds:g} s.")


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _announce(port: int) -> None:
    try:
        took = wait_until_ready(port, REPLICAS)
        print(f"\nThe cluster is ready after {took:.0f} s: http://127.0.0.1:{port}/  Ctrl-C stops everything.\n", flush=True)
    except AssistantError as error:
        print(f"make cluster: {error}", file=sys.stderr)


def main() -> int:
    """Run the cluster until Ctrl-C; return the exit code."""
    try:
        cluster = Cluster(Settings.from_env().gateway_port)
        cluster.prepare()
    except AssistantError as error:
        print(f"make cluster: {error}", file=sys.stderr)
        return 1
    manager = Manager(Printer(sys.stdout))
    names: List[str] = list(cluster.commands)
    for name in names:
        manager.add_process(name, cluster.commands[name], env=cluster.env(name), cwd=str(ROOT))
    threading.Thread(target=_announce, args=(cluster.port,), daemon=True).start()
    try:
        manager.loop()
    finally:
        cluster.clean()
    return 0 if manager.returncode in (0, 130, None) else 1


if __name__ == "__main__":
    sys.exit(main())
