"""PostgreSQL, Redis and nginx from Debian's packages, started on loopback for one installation or one test."""
from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Dict, List, Sequence

from assistant.errors import AssistantError
from assistant.settings import ROOT

START_SECONDS = 20.0


class ServiceMissing(AssistantError):
    """A program that the command needs is not installed or does not start."""


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, places: Sequence[str] = (), package: str = "") -> str:
    """Return the path of an installed program; raises ServiceMissing with the package to install."""
    for place in [*places, "/usr/sbin", "/usr/local/sbin"]:
        for folder in sorted(Path("/").glob(f"{place.lstrip('/')}"), reverse=True):
            if (folder / name).exists():
                return str(folder / name)
    found = shutil.which(name)
    if found is None:
        raise ServiceMissing(f"{name} is not installed. Install it (Debian: apt-get install {package or name}).")
    return found


class Postgres:
    """A PostgreSQL server of its own, in a temporary folder; run as an ordinary user, since initdb refuses root."""

    def __init__(self) -> None:
        """Start the server; raises ServiceMissing."""
        self._folder = Path(tempfile.mkdtemp(prefix="assistant-postgres-"))
        self._as = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self._folder, "nobody")
        self.port = free_port()
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "assistant", "-E", "UTF8", "--no-sync")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder} -c max_connections=200"
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-w", "-l", str(self._folder / "log"), "start")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def pids(self) -> List[int]:
        """Return the processes of this server, the main one first."""
        main = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(main)], capture_output=True, text=True, check=False)
        return [main, *map(int, listed.stdout.split())]

    def database(self, name: str) -> str:
        """Make a database and return its address."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "assistant", name)
        return f"postgresql://assistant@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        command = [*self._as, program(name, ["/usr/lib/postgresql/*/bin"], "postgresql"), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", check=False)
        if done.returncode:
            raise ServiceMissing(f"{name} failed: {done.stdout.strip().splitlines()[-1:]}")


def redis_command(port: int) -> List[str]:
    """Return the command of a Redis in memory alone: it holds locks, which no restart need survive."""
    return [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]


def nginx_command(folder: Path, port: int, rasa_port: int, actions_port: int, replicas: Dict[str, List[int]]) -> List[str]:
    """Write deploy/nginx.conf, filled in, into `folder` and return nginx's command.

    replicas: the ports behind each of gateways, rasas and actions.
    """
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for name, ports in replicas.items():
        servers = " ".join(f"server 127.0.0.1:{number} max_fails=1 fail_timeout=1s;" for number in ports)
        text = text.replace(f"@{name.upper()}@", servers)
    values = {"FOLDER": folder, "PORT": f"127.0.0.1:{port}", "RASA_PORT": rasa_port, "ACTIONS_PORT": actions_port}
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    return [program("nginx", package="nginx-light"), "-c", str(configuration), "-g", "daemon off;"]


def wait_for_port(port: int, seconds: float = START_SECONDS) -> None:
    """Return once something listens on `port` of loopback; raises ServiceMissing after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise ServiceMissing(f"nothing answers on port {port} after {seconds:g} s.")
